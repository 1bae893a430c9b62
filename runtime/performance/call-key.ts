import type { Params } from "../protocol/json-rpc.ts";
import type { FleetClient } from "../registry/fleet.ts";
import { canonicalJson } from "./canonical-json.ts";

/**
 * What makes two requests the same: method and parameters without `_meta`, which says nothing of the answer
 * (server/utilities/caching, SEP-414).
 */
export function requestKey(method: string, params: Params | undefined): string {
  return params === undefined ? method : `${method} ${canonicalJson(params, "_meta")}`;
}

/**
 * Answers to a question of the server, its own state (basic/patterns/mrtr), or the wish for a task: such a request stands for
 * itself.
 */
export function isContinuation(params: Params | undefined): boolean {
  return (
    params !== undefined &&
    (params.inputResponses !== undefined || params.requestState !== undefined || params.task !== undefined)
  );
}

/**
 * Among whom an answer may be shared. With an instance for each session (`session`) only within that session;
 * otherwise among all that the same authenticated caller asks. A line break cannot occur in either.
 */
export function audienceOf(client: FleetClient, isolation: string): string {
  if (isolation === "session") return `owner\n${client.owner}\n`;
  const who = client.reader ?? client.caller;
  return who === undefined ? `owner\n${client.owner}\n` : `caller\n${who}\n`;
}
