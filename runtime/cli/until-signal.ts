/** Resolves when the process is asked to end: by SIGTERM, or by SIGINT from a terminal. */
export function untilSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once("SIGTERM", () => resolve()).once("SIGINT", () => resolve());
  return promise;
}
