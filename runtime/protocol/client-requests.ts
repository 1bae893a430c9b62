import type { Exchange, ExchangeClient } from "./exchange.ts";
import { errorReply, type Params, type RpcReply } from "./json-rpc.ts";

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

/**
 * The client that a server's request is for. A transport that names no call (stdio, a GET stream) leaves one answer:
 * the owner of the calls in flight, if that is a single one. Otherwise one caller would be asked for another.
 */
export function clientOf(exchanges: Iterable<Exchange>): ExchangeClient | undefined {
  let found: ExchangeClient | undefined;
  for (const { client } of exchanges) {
    if (client === undefined) continue;
    if (found !== undefined && found.owner !== client.owner) return undefined;
    found = client;
  }
  return found;
}

/** Answers a server's request; never rejects. */
export async function answerServer(
  client: ExchangeClient | undefined,
  method: string,
  params: Params | undefined,
): Promise<RpcReply> {
  if (method === "ping") return { result: {} };
  const capability = clientRequests.get(method);
  if (capability === undefined) return notSupported(`Method not found: ${method}`);
  if (client === undefined) return notSupported(`${method}: no client's call is in flight to which it could belong`);
  if (client.capabilities[capability] === undefined && !client.modern) {
    return notSupported(`${method}: the client has not declared the capability "${capability}"`);
  }
  try {
    return await client.ask(method, params);
  } catch (error) {
    return errorReply(error);
  }
}

const notSupported = (message: string): RpcReply => ({ error: { code: -32601, message } });
