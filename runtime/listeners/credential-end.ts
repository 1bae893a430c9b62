import type { McpTarget } from "./target.ts";

/** Longest delay of a timer: Node fires later ones at once. */
const maxDelayMs = 2 ** 31 - 1;
const nothing = (): void => {};
const never = Number.POSITIVE_INFINITY;

/**
 * Calls `end` once, when the credential ends with which a connection was opened, or when the caller is no longer let in with it:
 * whoever goes on listening would hear what the caller may not know any more. Returns what forgets it.
 */
export function onCredentialEnd(target: McpTarget, end: () => void, clock = Date.now): () => void {
  const { expiresAt = never, recheckMs = never } = target;
  if (expiresAt === never && recheckMs === never) return nothing;
  let over = false;
  let timer: NodeJS.Timeout;
  const look = async (askAt: number): Promise<void> => {
    const now = clock();
    const asks = now < expiresAt && now >= askAt;
    const ended = now >= expiresAt || (asks && (await target.stillAdmitted?.()) === false);
    if (over) return;
    if (ended) end();
    else arm(asks ? clock() + recheckMs : askAt);
  };
  const arm = (askAt: number): void => {
    const delay = Math.min(Math.max(Math.min(expiresAt, askAt) - clock(), 0), maxDelayMs);
    timer = setTimeout(() => void look(askAt), delay).unref();
  };
  arm(clock() + recheckMs);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
