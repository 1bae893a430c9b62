import { isObject } from "./exact-number.ts";
import type { Params } from "./json-rpc.ts";

/** What a gateway knows of the other instances of a server: one of them has room for a session, or none as far as it knows. */
export type Elsewhere = "free" | "full";

const capability = "mcp-fleet/elsewhere";

/**
 * What a gateway declares under `capabilities.experimental` to one instance of several: when that has no process free for its
 * session, it wants POOL_EXHAUSTED at once, because it tries the others.
 */
export const declareElsewhere = (others: Elsewhere): Params => ({ [capability]: { others } });

/** What a client has declared of the others; undefined for one that has only this one. */
export function elsewhereOf({ experimental }: Params): Elsewhere | undefined {
  const declared = isObject(experimental) ? experimental[capability] : undefined;
  if (!isObject(declared)) return undefined;
  return declared.others === "full" ? "full" : "free";
}
