import { join } from "node:path";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { afterEach, expect, test } from "@jest/globals";
import { request } from "undici";
import type { Gateway } from "../../runtime/config/schema/index.ts";
import { TestGateway } from "../support/gateway.ts";

// One tool answers with as many MiB as it is asked for.
const light = {
  type: "custom" as const,
  isolation: "shared" as const,
  process: { command: process.execPath, args: [join(import.meta.dirname, "../fixtures/light-server.mjs")] },
};
let it: TestGateway;
afterEach(() => it.close());

const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const clientInfo = { name: "raw", version: "1" };
const decoders = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync };

const eras = {
  async session() {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params });
    const opened = await request(`${it.url}/mcp/light`, { method: "POST", headers, body });
    await opened.body.dump();
    return { headers: { "mcp-session-id": opened.headers["mcp-session-id"] as string }, meta: {} };
  },
  async stateless() {
    const of = (name: string) => `io.modelcontextprotocol/${name}`;
    const meta = {
      [of("protocolVersion")]: "2026-07-28",
      [of("clientInfo")]: clientInfo,
      [of("clientCapabilities")]: {},
    };
    return { headers: { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call" }, meta };
  },
};

/** How the answer to a call came, and what is in it. */
async function call(era: keyof typeof eras, name: string, args: object, sent: Record<string, string>) {
  const { headers: own, meta } = await eras[era]();
  const params = { name, arguments: args, _meta: meta };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
  const answer = await request(`${it.url}/mcp/light`, {
    method: "POST",
    headers: { ...headers, ...own, ...(era === "stateless" && { "mcp-name": name }), ...sent },
    body,
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const coding = answer.headers["content-encoding"] as keyof typeof decoders | undefined;
  const text = (coding === undefined ? bytes : decoders[coding](bytes)).toString();
  return { coding, type: answer.headers["content-type"], vary: answer.headers.vary, bytes: bytes.length, text };
}

const start = async (gateway: Gateway = {}) => {
  it = await TestGateway.start({ gateway, servers: { light } });
};

test.each([
  ["session", "gzip"],
  ["session", "br"],
  ["session", "zstd"],
  ["stateless", "gzip"],
] as const)("a large answer goes out compressed for a client of the %s era that takes %s", async (era, coding) => {
  await start();
  const found = await call(era, "big", { mib: 1 }, { "accept-encoding": coding });
  expect(found).toMatchObject({ coding, type: "application/json", vary: "accept-encoding" });
  expect(found.bytes).toBeLessThan(50_000);
  expect(JSON.parse(found.text).result.content[0].text).toBe("x".repeat(2 ** 20));
});

test("an answer goes out as it is when it is small, when the client does not take that, and when it is switched off", async () => {
  await start();
  const gzip = { "accept-encoding": "gzip" };
  expect((await call("session", "count", {}, gzip)).coding).toBeUndefined();
  expect((await call("session", "big", { mib: 1 }, {})).coding).toBeUndefined();
  expect((await call("session", "big", { mib: 1 }, { "accept-encoding": "gzip;q=0" })).coding).toBeUndefined();
  await it.close();
  await start({ compressFromBytes: 0 });
  expect((await call("session", "big", { mib: 1 }, gzip)).coding).toBeUndefined();
});

test("an event stream is not compressed, so that each event comes at once", async () => {
  await start();
  const taken = { "accept-encoding": "gzip", accept: "text/event-stream" };
  const { coding, type, text } = await call("session", "big", { mib: 1 }, taken);
  expect([coding, type]).toEqual([undefined, "text/event-stream"]);
  expect(text).toContain("x".repeat(2 ** 20));
});
