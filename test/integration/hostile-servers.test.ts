import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import type { Server } from "../../runtime/config/schema/index.ts";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";
import { Listening } from "../support/listening.ts";

// Servers that misbehave: their own callers may get an error, nobody else notices, and the gateway lives.
const script = join(import.meta.dirname, "../fixtures/hostile-server.mjs");
let gateway: TestGateway;
let server: Listening | undefined;
let client: Client;
let bystander: Client;

describe.each(["standard streams", "Streamable HTTP"])("a server over %s", (transport) => {
  beforeEach(async () => {
    const over: Partial<Server> = { process: { command: process.execPath, args: [script] } };
    if (transport === "Streamable HTTP") {
      server = await Listening.start(script, {}, ["http"]);
      delete over.process;
      over.endpoints = [`http://127.0.0.1:${server.port}/mcp`];
    }
    gateway = await TestGateway.start({
      servers: {
        hostile: { type: "custom", isolation: "shared", ...over, timeouts: { requestMs: 20_000 } },
        stateful: statefulServer({ isolation: "shared" }),
      },
    });
    [client, bystander] = [await gateway.connect("/mcp"), await gateway.connect("/mcp")];
    await say(bystander, "stateful__count");
  });
  afterEach(async () => {
    expect(await say(bystander, "stateful__count")).toMatchObject({ count: 2 });
    await gateway.close();
    await server?.stop();
    server = undefined;
  });

  test.each(["notify", "ask", "garble"])("that is to %s: the call has its result all the same", async (tool) => {
    const heard: unknown[] = [];
    const call = { name: `hostile__${tool}`, arguments: {} };
    const { content } = await client.callTool(call, { onprogress: (progress) => heard.push(progress) });
    expect([content, heard]).toEqual([[{ type: "text", text: "done" }], []]);
  });

  test("that answers a request that nobody sent: where one connection is for one call, that call fails", async () => {
    const outcome = await client.callTool({ name: "hostile__stray", arguments: {} }).catch((error) => error);
    if (transport === "standard streams") expect(outcome.content).toEqual([{ type: "text", text: "done" }]);
    else expect(outcome.data?.code).toBe("UPSTREAM_PROTOCOL");
    const { content } = await client.callTool({ name: "hostile__garble", arguments: {} });
    expect(content).toEqual([{ type: "text", text: "done" }]);
  });

  test("whose result nests a million levels deep, or never ends: the call fails, the next one does not", async () => {
    for (const tool of ["answer", "flood"]) {
      const outcome = await client.callTool({ name: `hostile__${tool}`, arguments: {} }).catch((error) => error);
      expect(outcome).toBeInstanceOf(Error);
      // Not its deadline: what it keeps of an answer has a bound.
      expect(outcome.data?.code).not.toBe("REQUEST_TIMEOUT");
    }
    const { content } = await client.callTool({ name: "hostile__garble", arguments: {} });
    expect(content).toEqual([{ type: "text", text: "done" }]);
  });
});
