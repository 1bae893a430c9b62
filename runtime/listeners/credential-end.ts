/** Longest delay of a timer: Node fires later ones at once. */
const maxDelayMs = 2 ** 31 - 1;
const nothing = (): void => {};

/**
 * Calls `end` once, when the credential ends with which a connection was opened: whoever goes on listening would hear what the
 * caller may no longer know. `expiresAt` is in milliseconds since the epoch, undefined for never. Returns what forgets it.
 */
export function onCredentialEnd(expiresAt: number | undefined, end: () => void, clock = Date.now): () => void {
  if (expiresAt === undefined) return nothing;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const delay = Math.min(Math.max(expiresAt - clock(), 0), maxDelayMs);
    timer = setTimeout(() => (clock() < expiresAt ? arm() : end()), delay).unref();
  };
  arm();
  return () => clearTimeout(timer);
}
