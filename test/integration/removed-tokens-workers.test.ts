import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { Agent, get, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, expect, test } from "@jest/globals";
import type { ConfigFile } from "../../runtime/config/schema/index.ts";
import { statefulServer } from "../support/gateway.ts";
import { Serving } from "../support/serving.ts";

// Each request has a connection of its own, so that either worker can get it: many streams are one worker's and lie at the other.
const agent = new Agent({ keepAlive: false });
const secrets = mkdtempSync(join(tmpdir(), "tokens-"));
const people = ["alice", "bob"].map((name) => {
  const file = join(secrets, name);
  writeFileSync(file, `${name}-at-the-gateway`);
  return { name, token: `file:${file}` };
});
afterAll(() => rmSync(secrets, { recursive: true }));
let serving: Serving;
const open: IncomingMessage[] = [];
afterEach(async () => {
  for (const stream of open.splice(0)) stream.destroy();
  expect(await serving.stop()).toBe(0);
});

async function reload(bearerTokens: typeof people): Promise<void> {
  const file = join(serving.folder, "config.json");
  const before = JSON.parse(await readFile(file, "utf8")) as ConfigFile;
  const gateway = { ...before.gateway, auth: { bearerTokens } };
  await writeFile(file, JSON.stringify({ ...before, gateway }));
  await serving.admin("POST", "/reload");
}

/** The event stream of a new session. */
async function stream(name: string): Promise<IncomingMessage> {
  const headers = {
    authorization: `Bearer ${name}-at-the-gateway`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  const clientInfo = { name, version: "1" };
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  const asked = request(`${serving.url}/mcp/notes`, { method: "POST", agent, headers });
  asked.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }));
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  await text(answer);
  const session = { "mcp-session-id": String(answer.headers["mcp-session-id"]), accept: "text/event-stream" };
  const [events] = await once(
    get(`${serving.url}/mcp/notes`, { agent, headers: { ...headers, ...session } }),
    "response",
  );
  open.push(events as IncomingMessage);
  return (events as IncomingMessage).resume();
}

test("with workers, streams of a removed token end wherever they lie, and those of others go on", async () => {
  serving = await Serving.start(
    {
      gateway: { workers: 2, log: { level: "info" }, auth: { bearerTokens: people } },
      servers: { notes: statefulServer() },
    },
    "workers serve",
  );
  const streams = await Promise.all(
    ["alice", "bob"].map((name) => Promise.all(Array.from({ length: 8 }, () => stream(name)))),
  );
  const [removed, kept] = streams as [IncomingMessage[], IncomingMessage[]];
  expect([...removed, ...kept].map(({ statusCode }) => statusCode)).toEqual(Array(16).fill(200));
  const ended = Promise.all(removed.map((one) => once(one, "close")));
  await reload(people.slice(1));
  await ended;
  // A look that has come later than those would end them now.
  await pause(1500);
  expect(kept.map(({ readableEnded, destroyed }) => readableEnded || destroyed)).toEqual(Array(8).fill(false));
}, 60_000);
