import { isObject } from "../protocol/exact-number.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { RawReply } from "../protocol/raw-reply.ts";

/**
 * URI of a server's resource at `/mcp`: `<server>+<uri>`. A scheme may hold a plus sign (RFC 3986, section 3.1), a
 * server's name may not, so no two servers' resources collide and the original comes back unchanged.
 */
export const federatedUri = (server: string, uri: string): string => `${server}+${uri}`;

/** The parts of a federated URI, or of a template of one. */
export function splitFederatedUri(text: string): { readonly server: string; readonly uri: string } | undefined {
  const at = text.indexOf("+");
  return at <= 0 ? undefined : { server: text.slice(0, at), uri: text.slice(at + 1) };
}

/** Where results name resources: contents of a resource, content of a tool's result, messages of a prompt. */
const lists = ["contents", "content", "messages"] as const;

/**
 * A server's result as it reads at `/mcp`: every resource that it names can be read there. One that names none is relayed as it
 * came, without a parse.
 */
export function withFederatedUris(server: string, reply: RpcReply): RpcReply {
  if (!mayHave("uri", reply) || !("result" in reply) || !isObject(reply.result)) return reply;
  const result: Params = { ...reply.result };
  for (const key of lists) {
    const items = result[key];
    if (Array.isArray(items)) result[key] = items.map((item) => named(server, item));
  }
  return { result };
}

/** Can a result have a member of this name, an ASCII word, at any depth? Does not parse it. */
export function mayHave(name: string, reply: RpcReply): boolean {
  if (!(reply instanceof RawReply)) return true;
  const { text } = reply;
  // The letters can be written by their codes.
  return text.includes(`${name}"`) || text.includes("\\u00");
}

/** One item: resource contents and links have a URI of their own, embedded resources and messages hold one deeper. */
function named(server: string, item: unknown): unknown {
  if (!isObject(item)) return item;
  const { uri, resource, content } = item;
  return {
    ...item,
    ...(typeof uri === "string" ? { uri: federatedUri(server, uri) } : {}),
    ...(resource === undefined ? {} : { resource: named(server, resource) }),
    ...(content === undefined || Array.isArray(content) ? {} : { content: named(server, content) }),
  };
}
