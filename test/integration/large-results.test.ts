import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { TestGateway } from "../support/gateway.ts";

// Large results go out in memory that is used again: none may ever show what another call's result was.
let upstream: Server;
let gateway: TestGateway;
const url = () => new URL("/mcp/big", gateway.url);

/** A result that says whose it is in every part. */
const resultOf = (name = "nobody", bytes = 0) => ({
  content: [{ type: "text", text: `${name} `.repeat(bytes / (name.length + 1)) }],
});

beforeAll(async () => {
  upstream = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const { id, method, params } = JSON.parse(body || "{}");
      if (id === undefined) return response.writeHead(202).end();
      const serverInfo = { name: "big", version: "1" };
      const results: Record<string, unknown> = {
        initialize: { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo },
        "tools/list": { tools: [{ name: "big", inputSchema: { type: "object" } }] },
        "tools/call": resultOf(params?.arguments?.name, params?.arguments?.bytes),
      };
      const result = results[method];
      // Both orders in which servers write, and one that nobody expects.
      const orders = [
        { jsonrpc: "2.0", id, result },
        { result, jsonrpc: "2.0", id },
        { id, result, jsonrpc: "2.0" },
      ];
      const message =
        result === undefined ? { jsonrpc: "2.0", id, error: { code: -32601, message: "no" } } : orders[id % 3];
      const text = JSON.stringify(message);
      // With a length, and without one.
      const length = id % 2 === 0 ? { "content-length": Buffer.byteLength(text) } : {};
      response.writeHead(200, { "content-type": "application/json", ...length }).end(text);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  const endpoints = [`http://127.0.0.1:${port}/mcp`];
  gateway = await TestGateway.start({ servers: { big: { type: "custom", isolation: "shared", endpoints } } });
});
afterAll(async () => {
  await gateway.close();
  upstream.close();
});

async function post(body: unknown, session?: string, signal?: AbortSignal): Promise<Response> {
  const headers = {
    ...{ "content-type": "application/json", accept: "application/json, text/event-stream" },
    ...(session === undefined ? {} : { "mcp-session-id": session }),
  };
  return fetch(url(), { method: "POST", headers, body: JSON.stringify(body), ...(signal ? { signal } : {}) });
}

test("hundreds at once, some of them given up half-way: each client gets its own result, whole", async () => {
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const opened = await post({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  const session = opened.headers.get("mcp-session-id") as string;
  await opened.text();
  const sizes = [10_000, 40_000, 300_000, 1_100_000, 3_900_000];
  const call = async (index: number, others: Promise<unknown>) => {
    const name = `caller${index}`;
    const bytes = sizes[index % sizes.length] as number;
    const request = {
      jsonrpc: "2.0",
      id: index,
      method: "tools/call",
      params: { name: "big", arguments: { name, bytes } },
    };
    if (index % 7 === 0) {
      const given = new AbortController();
      const response = await post(request, session, given.signal);
      given.abort();
      return response.text().then(
        () => "given up",
        () => "given up",
      );
    }
    const response = await post(request, session);
    // One who does not read for a while: the bytes stay in the gateway while others come and go.
    if (index % 3 === 0) await others;
    const text = await response.text();
    return text === JSON.stringify({ jsonrpc: "2.0", id: index, result: resultOf(name, bytes) })
      ? "whole"
      : text.slice(0, 200);
  };
  const outcomes: string[] = [];
  for (let round = 0; round < 4; round += 1) {
    const prompt: Promise<string>[] = [];
    const all = Promise.withResolvers<void>();
    const calls = Array.from({ length: 24 }, (_, index) => call(round * 24 + index, all.promise));
    for (const [index, outcome] of calls.entries()) if (index % 3 !== 0) prompt.push(outcome);
    void Promise.all(prompt).then(() => all.resolve());
    outcomes.push(...(await Promise.all(calls)));
  }
  expect(outcomes.filter((outcome) => outcome !== "whole" && outcome !== "given up")).toEqual([]);
  expect(outcomes.filter((outcome) => outcome === "given up")).toHaveLength(14);
});
