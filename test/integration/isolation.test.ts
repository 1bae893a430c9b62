import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Isolation, Server as ServerConfig } from "../../runtime/config/schema/index.ts";
import { TestGateway } from "../support/gateway.ts";
import { testWith } from "../support/needs.ts";

// Two callers, told apart by their tokens, on real servers that keep state: neither ever sees the other's.
const { resolve } = createRequire(import.meta.url);
let gateway: TestGateway;
let page: Server | undefined;
const clients: Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await gateway.close();
  page?.close();
  page = undefined;
});

async function start(name: string, server: ServerConfig): Promise<void> {
  const bearerTokens = ["anna", "bert"].map((who) => ({ name: who, token: `token-of-${who}` }));
  gateway = await TestGateway.start({ gateway: { auth: { bearerTokens } }, servers: { [name]: server } });
}

async function connect(who: "anna" | "bert", mode: "legacy" | "auto"): Promise<Client> {
  const client = new Client({ name: who, version: "1" }, { versionNegotiation: { mode } });
  const requestInit = { headers: { authorization: `Bearer token-of-${who}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", gateway.url), { requestInit }));
  clients.push(client);
  return client;
}

async function textOf(client: Client, name: string, args: Record<string, unknown>): Promise<string> {
  const { content, isError } = await client.callTool({ name, arguments: args });
  const text = (content as { text: string }[])[0]?.text as string;
  if (isError === true) throw new Error(text);
  return text;
}

const cells = (["session", "caller"] as const).flatMap((isolation) =>
  (["legacy", "auto"] as const).map((mode) => ({ isolation, mode })),
);
/** Do two sessions of one caller share state? Only stateless clients have no session to tell them apart. */
const shares = (isolation: Isolation, mode: string) => isolation === "caller" || mode === "auto";

test.each(cells)("memory, isolation $isolation, clients in mode $mode", async ({ isolation, mode }) => {
  // Its file lies in the instance's own temporary folder.
  const script = 'MEMORY_FILE_PATH="$TMPDIR/memory.jsonl" exec "$0" "$1"';
  const memory = resolve("@modelcontextprotocol/server-memory/dist/index.js");
  const process_ = { command: "sh", args: ["-c", script, process.execPath, memory] };
  await start("memory", { type: "custom", isolation, process: process_ });
  const [anna, bert, annaAgain] = [
    await connect("anna", mode),
    await connect("bert", mode),
    await connect("anna", mode),
  ];
  const secret = { name: "secret of Anna", entityType: "secret", observations: ["nobody may know"] };
  await textOf(anna, "memory__create_entities", { entities: [secret] });
  const graph = async (client: Client) => JSON.parse(await textOf(client, "memory__read_graph", {})).entities;
  expect(await graph(bert)).toEqual([]);
  expect(await graph(anna)).toEqual([secret]);
  expect(await graph(annaAgain)).toEqual(shares(isolation, mode) ? [secret] : []);
});

test.each(cells)("sequential-thinking, isolation $isolation, clients in mode $mode", async ({ isolation, mode }) => {
  await start("sequential", { type: "sequential", isolation });
  const [anna, bert, annaAgain] = [
    await connect("anna", mode),
    await connect("bert", mode),
    await connect("anna", mode),
  ];
  const think = async (client: Client, thought: string) => {
    const args = { thought, thoughtNumber: 1, totalThoughts: 3, nextThoughtNeeded: true };
    return JSON.parse(await textOf(client, "sequential__sequentialthinking", args)).thoughtHistoryLength;
  };
  expect([await think(anna, "one"), await think(anna, "two"), await think(bert, "one")]).toEqual([1, 2, 1]);
  expect(await think(annaAgain, "three")).toBe(shares(isolation, mode) ? 3 : 1);
});

for (const { isolation, mode } of [
  { isolation: "session", mode: "legacy" },
  { isolation: "caller", mode: "auto" },
] as const) {
  testWith("Chromium or Chrome")(`playwright, isolation ${isolation}, clients in mode ${mode}`, async () => {
    page = createServer(({ url }, response) => {
      const cookie = url === "/sign-in" ? { "set-cookie": "signed-in-as=anna" } : {};
      response.writeHead(200, { "content-type": "text/html", ...cookie }).end("<title>A page</title>");
    }).listen(0, "127.0.0.1");
    await once(page, "listening");
    const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
    await start("playwright", { type: "playwright", isolation, scaling: { minInstances: 0, maxInstances: 2 } });
    const [anna, bert] = [await connect("anna", mode), await connect("bert", mode)];
    const visit = (client: Client, path: string) => textOf(client, "playwright__browser_navigate", { url: url + path });
    const cookies = async (client: Client) => {
      const text = await textOf(client, "playwright__browser_evaluate", { function: "() => `<${document.cookie}>`" });
      return /<(.*?)>/.exec(text)?.[1];
    };
    await visit(anna, "/sign-in");
    await visit(bert, "/");
    expect([await cookies(anna), await cookies(bert)]).toEqual(["signed-in-as=anna", ""]);
  });
}
