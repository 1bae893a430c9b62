import type { Params } from "./json-rpc.ts";

/** The client's own token for progress (basic/utilities/progress); undefined when it wants to hear of none. */
export function progressTokenOf(params: Params | undefined): unknown {
  return (params?._meta as Params | undefined)?.progressToken;
}

/**
 * Two clients may choose the same token, and a late message may come on a connection that another call uses by then: the
 * server gets the id of our request instead.
 */
export function withProgressToken(params: Params, id: number): Params {
  return { ...params, _meta: { ...(params._meta as Params), progressToken: id } };
}
