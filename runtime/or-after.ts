/** What the first one resolves with, if it does so in this time; else the other one. Rejects as the first one does. */
export async function orAfter<T>(first: Promise<T>, ms: number, other: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(other), ms);
  });
  return Promise.race([first, late]).finally(() => clearTimeout(timer));
}
