import type { McpTarget } from "./target.ts";

/** Longest delay of a timer: Node fires later ones at once. */
const maxDelayMs = 2 ** 31 - 1;
/** Pause before a look that could not be made is made again, in milliseconds. */
const againMs = 1000;
const nothing = (): void => {};
const never = Number.POSITIVE_INFINITY;

/**
 * Calls `end` once, when the credential ends with which a connection was opened, or when the caller is no longer let in with it:
 * whoever goes on listening would hear what the caller may not know any more. Returns what forgets it.
 */
export function onCredentialEnd(target: McpTarget, end: () => void, clock = Date.now): () => void {
  const { expiresAt = never, recheckMs = never } = target;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const forget = (): void => {
    over = true;
    clearTimeout(timer);
    forgetSettings();
  };
  const ended = (): void => {
    if (over) return;
    forget();
    end();
  };
  /** Resolves when it is known, after some more looks if need be. */
  const isRefused = async (): Promise<boolean> => {
    if (target.stillAdmitted === undefined) return false;
    let admitted = await target.stillAdmitted();
    while (admitted === undefined && !over) {
      await new Promise((resolve) => setTimeout(resolve, againMs).unref());
      admitted = await target.stillAdmitted();
    }
    return admitted === false;
  };
  const look = async (askAt: number): Promise<void> => {
    const now = clock();
    const asks = now < expiresAt && now >= askAt;
    if (now >= expiresAt || (asks && (await isRefused()))) ended();
    else if (!over) arm(asks ? clock() + recheckMs : askAt);
  };
  const arm = (askAt: number): void => {
    const delay = Math.min(Math.max(Math.min(expiresAt, askAt) - clock(), 0), maxDelayMs);
    timer = setTimeout(() => void look(askAt), delay).unref();
  };
  const lookAgain = async (): Promise<void> => {
    if (await isRefused()) ended();
  };
  const forgetSettings = target.onApplied?.(() => void lookAgain()) ?? nothing;
  if (expiresAt !== never || recheckMs !== never) arm(clock() + recheckMs);
  return forget;
}
