import type { Exchange } from "./exchange.ts";
import { errorReply, type Params, type RpcReply } from "./json-rpc.ts";
import type { PastCalls } from "./past-calls.ts";

/** What servers may ask of clients, and the capability that a client declares for it (client/elicitation, sampling, roots). */
export const clientRequests: ReadonlyMap<string, string> = new Map([
  ["elicitation/create", "elicitation"],
  ["sampling/createMessage", "sampling"],
  ["roots/list", "roots"],
]);

/** What the gateway declares to servers of the session era: it bridges all of it, and refuses what a client lacks. */
export const bridgedCapabilities: Params = {
  roots: { listChanged: true },
  sampling: { context: {}, tools: {} },
  elicitation: { form: {}, url: {} },
};

/** Has a client declared that it can be asked for anything? */
export const canBeAsked = (capabilities: Params | undefined): boolean =>
  capabilities !== undefined &&
  (capabilities.elicitation !== undefined || capabilities.sampling !== undefined || capabilities.roots !== undefined);

/** Requests that the gateway sends for itself, or for which no server asks its client. */
const unasking = new Set([
  ...["initialize", "ping", "server/discover", "tools/list", "prompts/list", "resources/list"],
  ...["resources/templates/list", "resources/subscribe", "resources/unsubscribe", "logging/setLevel"],
  "subscriptions/listen",
]);

/** Can a server have a question to the client of such a request? */
export const mayAsk = (method: string): boolean => !unasking.has(method);

/** A call in flight. */
export interface CallInFlight {
  readonly method: string;
  readonly exchange: Exchange;
}

/** For whom a call is made; undefined for one without a client, such as REST's, which can be anybody's. */
const ownerOf = ({ client }: Exchange): string | undefined => client?.owner;

/**
 * The call that a server's request is for, where a transport names none (stdio, a GET stream): the latest one, if all
 * calls in flight are one owner's, and no earlier call of somebody else can still be at work. Otherwise one caller would be
 * asked for another.
 */
export function callOf(calls: Iterable<CallInFlight>, past?: PastCalls): Exchange | undefined {
  let found: Exchange | undefined;
  for (const { method, exchange } of calls) {
    if (!mayAsk(method)) continue;
    const owner = ownerOf(exchange);
    if (owner === undefined || (found !== undefined && ownerOf(found) !== owner)) return undefined;
    found = exchange;
  }
  return found === undefined || past?.concernOthers(found) ? undefined : found;
}

/** Answers a server's request; never rejects. */
export async function answerServer(
  call: Exchange | undefined,
  method: string,
  params: Params | undefined,
): Promise<RpcReply> {
  if (method === "ping") return { result: {} };
  const capability = clientRequests.get(method);
  if (capability === undefined) return notSupported(`Method not found: ${method}`);
  const client = call?.client;
  if (call === undefined || client === undefined)
    return notSupported(`${method}: no client's call is in flight to which it could belong`);
  if (client.capabilities[capability] === undefined && !client.modern) {
    return notSupported(`${method}: the client has not declared the capability "${capability}"`);
  }
  try {
    return await call.ask(method, params);
  } catch (error) {
    return errorReply(error);
  }
}

const notSupported = (message: string): RpcReply => ({ error: { code: -32601, message } });
