import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Isolation } from "../../runtime/config/schema/index.ts";
import { TestGateway } from "../support/gateway.ts";
import { heardProgress } from "../support/heard-progress.ts";
import { Listening } from "../support/listening.ts";

// Real clients of either era against real servers of either era, with what servers ask of clients in the middle.
let gateway: TestGateway;
let server: Listening;
let client: Client;
const asked: unknown[] = [];

async function connect(mode: "legacy" | "auto", path: string): Promise<Client> {
  const capabilities = { elicitation: {}, sampling: {}, roots: {} };
  const it = new Client({ name: "bridge", version: "1" }, { capabilities, versionNegotiation: { mode } });
  it.setRequestHandler("elicitation/create", async ({ params }) => {
    asked.push(["elicitation", params.message]);
    return { action: "accept" as const, content: { response: "yes" } };
  });
  it.setRequestHandler("sampling/createMessage", async ({ params }) => {
    asked.push(["sampling", params.messages.length]);
    return { role: "assistant" as const, model: "m", content: { type: "text" as const, text: "sampled" } };
  });
  it.setRequestHandler("roots/list", async () => ({ roots: [] }));
  await it.connect(new StreamableHTTPClientTransport(new URL(path, gateway.url)));
  return it;
}

const cells = (["legacy", "auto"] as const).flatMap((mode) =>
  (["legacy", "modern"] as const).flatMap((era) => ["/mcp/bridge", "/mcp"].map((path) => ({ mode, era, path }))),
);

describe.each(cells)("a client in mode $mode at $path, a server of the $era era", ({ mode, era, path }) => {
  const prefix = path === "/mcp" ? "bridge__" : "";
  const uris = path === "/mcp" ? "bridge+" : "";
  const call = async (name: string, args: Record<string, unknown> = {}) => {
    const { content } = await client.callTool({ name: prefix + name, arguments: args });
    return (content as { text?: string }[])[0]?.text;
  };

  beforeEach(async () => {
    asked.length = 0;
    server = await Listening.start(join(import.meta.dirname, "../conformance/fixture/http.ts"), { ERA: era });
    const endpoints = [`http://127.0.0.1:${server.port}/mcp`];
    gateway = await TestGateway.start({ servers: { bridge: { type: "custom", endpoints, isolation: "shared" } } });
    client = await connect(mode, path);
  });
  afterEach(async () => {
    await client.close();
    await gateway.close();
    await server.stop();
  });

  test("questions reach the client and its answers the server", async () => {
    expect(client.getProtocolEra?.()).toBe(mode === "auto" ? "modern" : "legacy");
    expect(await call("test_elicitation", { message: "sure?" })).toBe(
      'User response: action=accept, content={"response":"yes"}',
    );
    expect(await call("test_sampling", { prompt: "hi" })).toBe("LLM response: sampled");
    expect(asked).toEqual([
      ["elicitation", "sure?"],
      ["sampling", 1],
    ]);
  });

  test("lists, resources, templates, prompts and completion", async () => {
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain(`${prefix}test_simple_text`);
    const { resources } = await client.listResources();
    const text = resources.find(({ uri }) => uri === `${uris}test://static-text`);
    const { contents } = await client.readResource({ uri: text?.uri as string });
    expect(contents).toMatchObject([{ uri: `${uris}test://static-text`, mimeType: "text/plain" }]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([`${uris}test://template/{id}/data`]);
    const filled = await client.readResource({ uri: `${uris}test://template/7/data` });
    expect(filled.contents).toMatchObject([{ uri: `${uris}test://template/7/data` }]);
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toContain(`${prefix}test_simple_prompt`);
    const { messages } = await client.getPrompt({ name: `${prefix}test_simple_prompt` });
    expect(messages).toHaveLength(1);
    const ref = { type: "ref/prompt" as const, name: `${prefix}test_prompt_with_arguments` };
    const { completion } = await client.complete({ ref, argument: { name: "arg1", value: "t" } });
    expect(completion.values).toEqual([]);
  });

  test("progress arrives before the result", async () => {
    const name = `${prefix}test_tool_with_progress`;
    const { progress } = await heardProgress(client, (options) => client.callTool({ name, arguments: {} }, options));
    expect(progress).toEqual([0, 50, 100]);
  });
});

test.each<Isolation>(["session", "caller"])(
  "isolation %s: the stateless client has its caller's instance",
  async (isolation) => {
    const process_ = {
      command: process.execPath,
      args: [join(import.meta.dirname, "../fixtures/stateful-server.ts")],
    };
    const auth = { bearerTokens: ["anna", "bert"].map((name) => ({ name, token: `token-of-${name}` })) };
    gateway = await TestGateway.start({
      gateway: { auth },
      servers: { counter: { type: "custom", process: process_, isolation } },
    });
    const clients = await Promise.all(
      ["anna", "anna", "bert"].map(async (name) => {
        const it = new Client({ name, version: "1" }, { versionNegotiation: { mode: "auto" } });
        const requestInit = { headers: { authorization: `Bearer token-of-${name}` } };
        await it.connect(new StreamableHTTPClientTransport(new URL("/mcp/counter", gateway.url), { requestInit }));
        return it;
      }),
    );
    const counts: unknown[] = [];
    for (const it of clients) {
      const { content } = await it.callTool({ name: "count", arguments: {} });
      counts.push(JSON.parse((content as { text: string }[])[0]?.text ?? "").count);
    }
    expect(counts).toEqual([1, 2, 1]);
    await Promise.all(clients.map((it) => it.close()));
    await gateway.close();
  },
);
