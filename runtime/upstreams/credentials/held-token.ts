import { bearerLines } from "./credentials.ts";
import type { StoredTokens } from "./token-store.ts";

/** An access token in use. */
export interface HeldToken {
  readonly tokens: StoredTokens;
  readonly lines: string;
  /** Milliseconds since the epoch from which on it is renewed; never, when its end is not known. */
  readonly renewAt: number;
}

/** Renewed so long before its end, and no token later than half of its life. */
const aheadMs = 30_000;

/** Takes a token into use at `now`, in milliseconds since the epoch. */
export function holdToken(tokens: StoredTokens, now: number): HeldToken {
  const { accessToken, expiresAt } = tokens;
  const leftMs = (expiresAt ?? Number.POSITIVE_INFINITY) - now;
  const renewAt = expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt - Math.min(aheadMs, leftMs / 2);
  return { tokens, lines: bearerLines(accessToken), renewAt };
}
