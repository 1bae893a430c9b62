import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { TestGateway } from "../support/gateway.ts";
import { Listening } from "../support/listening.ts";

// W3C Trace Context from a client's headers or `_meta` to a server's headers and `_meta` (SEP-414).
const fixture = join(import.meta.dirname, "../fixtures/raw-server.ts");
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const other = "00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-01";

describe.each(["legacy", "modern"])("a server of the %s era", (era) => {
  let server: Listening;
  let gateway: TestGateway;
  beforeAll(async () => {
    server = await Listening.start(fixture, { ERA: era });
    gateway = await TestGateway.start({
      servers: { raw: { type: "custom", isolation: "shared", endpoints: [`http://127.0.0.1:${server.port}/mcp`] } },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await server.stop();
  });

  async function seen(mode: "legacy" | "auto", headers: Record<string, string>, _meta: Record<string, unknown>) {
    const client = new Client({ name: "traced", version: "1" }, { versionNegotiation: { mode } });
    const requestInit = { headers };
    await client.connect(new StreamableHTTPClientTransport(new URL("/mcp/raw", gateway.url), { requestInit }));
    const { content } = await client.callTool({ name: "trace", arguments: {}, _meta });
    await client.close();
    return JSON.parse((content as { text: string }[])[0]?.text as string);
  }

  test.each(["legacy", "auto"] as const)("and a client in mode %s", async (mode) => {
    const all = { traceparent, tracestate: "a=b", baggage: "user=anna" };
    expect(await seen(mode, all, {})).toEqual({ ...all, inMeta: traceparent });
    expect(await seen(mode, {}, all)).toEqual({ ...all, inMeta: traceparent });
    // The message knows better than the connection that it came on.
    expect(await seen(mode, { traceparent: other }, { traceparent })).toEqual({ traceparent, inMeta: traceparent });
    expect(await seen(mode, {}, {})).toEqual({});
    // Nothing that is no header value gets into one.
    const forged = `${traceparent}\r\nX-Forged: yes`;
    expect(await seen(mode, {}, { traceparent: forged })).toEqual({ inMeta: forged });
  });
});
