import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";

let gateway: TestGateway;
let client: Client;
beforeAll(async () => {
  gateway = await TestGateway.start({
    gateway: { toolSearch: true },
    servers: { first: statefulServer(), second: statefulServer({ tools: { deny: ["crash"] } }) },
  });
  client = await gateway.connect();
});
afterAll(() => gateway.close());

test("three tools stand for all others", async () => {
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
    ...["find_tools", "describe_tools", "call_tool"],
  ]);
});

test("a tool is found, described and called; what is denied is neither", async () => {
  const found = (await say(client, "find_tools", { query: "counts calls", limit: 2 })) as { tools: { name: string }[] };
  expect(found.tools.map(({ name }) => name)).toEqual(["first__count", "second__count"]);
  const described = await say(client, "describe_tools", { names: ["first__slow", "second__crash"] });
  expect(described).toMatchObject({
    tools: [{ name: "first__slow", inputSchema: { required: ["steps", "ms"] } }],
    unknown: ["second__crash"],
  });
  expect(await say(client, "call_tool", { name: "first__count" })).toMatchObject({ count: 1 });
  const denied = client.callTool({ name: "call_tool", arguments: { name: "second__crash" } });
  await expect(denied).rejects.toThrow("Unknown tool: crash");
});

test("wrong arguments are told where the model reads them", async () => {
  const answer = await client.callTool({ name: "find_tools", arguments: { query: " " } });
  expect(answer).toMatchObject({
    isError: true,
    content: [{ type: "text", text: 'Invalid arguments: "query" must be a text' }],
  });
});

test("the rest of /mcp is as without the search", async () => {
  expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["first__greet", "second__greet"]);
});
