import type { RpcReply } from "../protocol/json-rpc.ts";
import { type DiscoverResult, discovered, modernErrors } from "../protocol/modern.ts";

/** What a probe with `server/discover` showed of a server (basic/versioning). */
export type Era = { readonly modern: true; readonly discovered: DiscoverResult } | { readonly modern: false };

/** How long a verdict is believed: a server that was upgraded meanwhile is met again in its new era. */
const believedMs = 10 * 60_000;

/** The era of one server, with its date: a stale "legacy" would work badly for ever without anybody noticing. */
export class EraVerdict {
  readonly #now: () => number;
  #modern: boolean | undefined;
  #at = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Is it known, and recently, that the server speaks only the session era? */
  get legacy(): boolean {
    return this.#modern === false && this.#now() - this.#at < believedMs;
  }

  reached({ modern }: Pick<Era, "modern">): void {
    this.#modern = modern;
    this.#at = this.#now();
  }

  /** The server was lost, or did not behave as the verdict says. */
  forget(): void {
    this.#modern = undefined;
  }
}

const modernCodes = new Set<number>(Object.values(modernErrors));

/** What the answer to `server/discover` shows; anything but a clear sign of the stateless era is the session era. */
export function eraOf(reply: RpcReply): Era | "modern, but of no known revision" {
  const found = discovered(reply);
  if (found !== undefined) return { modern: true, discovered: found };
  return "error" in reply && modernCodes.has(reply.error.code) ? "modern, but of no known revision" : { modern: false };
}
