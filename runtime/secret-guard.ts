/** Takes secrets out of a text. */
export type Clean = (text: string) => string;

/** One for each log that is open: several gateways of one process know secrets of their own. */
const guards = new Set<Clean>();

/**
 * From now on secrets that `clean` knows are in no text of an error. Errors go to callers, whatever they were made of: a
 * host name that holds a key, what a system call or a foreign server has said. Returns what ends it.
 */
export function guardSecrets(clean: Clean): () => void {
  guards.add(clean);
  return () => guards.delete(clean);
}

/** The text without any secret that is known in this process. */
export function withoutSecrets(text: string): string {
  let clean = text;
  for (const guard of guards) clean = guard(clean);
  return clean;
}

/** Characters behind an excerpt in which a secret that begins within it still ends. */
export const excerptMargin = 4096;

/** The beginning of a foreign text, of at most so many characters. No secret is cut, because half of one is not found. */
export function excerpt(text: string, length: number): string {
  return withoutSecrets(text.slice(0, length + excerptMargin)).slice(0, length);
}
