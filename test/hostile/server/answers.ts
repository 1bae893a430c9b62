import type { Desk, Message } from "./desk.ts";

const key = "io.modelcontextprotocol";
const serverInfo = { name: "hostile", version: "1.0.0" };
const capabilities = { tools: { listChanged: true }, logging: {} };
const tools = [{ name: "play", inputSchema: { type: "object" } }];

/** A message with members in the order of the specification's examples. */
export const message = (members: object): string => JSON.stringify({ jsonrpc: "2.0", ...members });

/** What a server of that era says in a result. */
export const complete = (desk: Desk, result: object): object =>
  desk.era === "session" ? result : { resultType: "complete", ...result };

/** The result of one call: a text. */
export const saying = (desk: Desk, text: string): object => complete(desk, { content: [{ type: "text", text }] });

/** The right answer to everything but a call. */
export function properAnswer(desk: Desk, { method }: Message): object {
  const modern = desk.era === "stateless";
  if (method === "initialize" && !modern) {
    return { result: { protocolVersion: "2025-11-25", capabilities, serverInfo } };
  }
  if (method === "server/discover" && modern) {
    const _meta = { [`${key}/serverInfo`]: serverInfo };
    return { result: complete(desk, { supportedVersions: ["2026-07-28"], capabilities, _meta }) };
  }
  if (method === "ping" || method === "logging/setLevel") return { result: {} };
  if (method === "tools/list") return { result: complete(desk, { tools, ...(modern ? { ttlMs: 0 } : {}) }) };
  return { error: { code: -32601, message: `Method not found: ${method}` } };
}

/** A page of a list that goes on for ever. */
export const endlessPage = (desk: Desk): object => ({
  result: complete(desk, {
    tools: Array.from({ length: 50 }, (_, at) => ({ ...tools[0], name: `play${at}`, description: "x".repeat(10_000) })),
    nextCursor: "more",
  }),
});

/** Of a version that nobody speaks. */
export const wrongVersion = {
  result: { protocolVersion: "1999-01-01", supportedVersions: ["1999-01-01"], capabilities, serverInfo },
};
