import type { Exchange } from "./exchange.ts";
import type { Params } from "./json-rpc.ts";

/** How urgent a call is, the most urgent first. */
export const priorities = ["critical", "high", "normal", "low"] as const;
export type Priority = (typeof priorities)[number];

/** Where a call says how urgent it is: `params._meta` of its request. */
export const priorityKey = "mcp-fleet/priority";

/** How urgent a call is: what its exchange was told (REST, programs), else what its `_meta` says, else `normal`. */
export function priorityOf(params: Params | undefined, exchange: Exchange): Priority {
  if (exchange.priority !== undefined) return exchange.priority;
  const said = (params?._meta as Params | undefined)?.[priorityKey];
  return isPriority(said) ? said : "normal";
}

const isPriority = (value: unknown): value is Priority => (priorities as readonly unknown[]).includes(value);
