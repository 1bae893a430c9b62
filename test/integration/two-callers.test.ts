import { join } from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { request } from "undici";
import type { Isolation, Server } from "../../runtime/config/schema/index.ts";
import { type HostPlatform, hostPlatforms, startDeployed } from "../support/deployed-host.ts";
import { TestGateway } from "../support/gateway.ts";
import { type Interface, interfaces, type NoteCaller, overTcp, type Place } from "../support/note-caller.ts";

// A caller who reads somebody else's note has met their state: by the tool, a resource, a list, or a notification.
const fixture = join(import.meta.dirname, "../fixtures/note-server.mjs");
const names = Object.keys(interfaces) as Interface[];
const scaling = { minInstances: 1, maxInstances: 60 };
let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

const bearerTokens = ["alice", "bob"].map((name) => ({ name, token: `token-of-${name}` }));
async function gatewayOf(server: Server): Promise<TestGateway> {
  const gateway = await TestGateway.start({
    gateway: { auth: { bearerTokens, allowAnonymous: true }, listeners: { tcp: { port: 0 } } },
    servers: { note: server },
  });
  closing.push(() => gateway.close());
  return gateway;
}
/** A caller's place at a gateway; without a name it comes without a token. */
const at = ({ url, gateway }: TestGateway, name?: string): Place => ({
  url,
  prefix: "note__",
  tcpPort: gateway.tcpPort,
  headers: name === undefined ? {} : { authorization: `Bearer token-of-${name}` },
});
async function open(place: Place, name: Interface): Promise<NoteCaller> {
  const caller = await interfaces[name](place);
  closing.push(() => caller.close());
  return caller;
}
/** Leaves a note at each interface; who left one at an interface with sessions is still there afterwards. */
async function leaveNotes(place: Place, canary: string): Promise<void> {
  for (const name of names) await (await open(place, name)).put(`${canary} at ${name}`);
}
/** What a caller sees at each interface that another one left. */
async function seen(place: Place): Promise<Record<string, string>> {
  const views: Record<string, string> = {};
  for (const name of names) {
    const caller = await open(place, name);
    const view = await caller.look();
    if (view.includes("CANARY")) views[name] = view;
    // Not merely an empty answer.
    expect(view).toContain("(nothing)");
    await caller.close();
  }
  return views;
}

/** What starts a fleet's server in one way, as a gateway's configuration reaches it. */
async function reached(way: string, isolation: Isolation): Promise<{ server: Server; url?: string; token?: string }> {
  if (way === "process") {
    return { server: { type: "custom", isolation, scaling, process: { command: process.execPath, args: [fixture] } } };
  }
  const container = { image: "note:1", command: process.execPath, args: [fixture], maxProcesses: 60 };
  const { url, token, stop } = await startDeployed(way as HostPlatform, { isolation, container });
  closing.push(stop);
  const credentials = token === undefined ? {} : { credentials: { header: { scheme: "Bearer", value: token } } };
  const server: Server = { type: "custom", isolation, scaling, endpoints: [`${url}/mcp`], ...credentials };
  return { server, url, ...(token === undefined ? {} : { token }) };
}

describe.each(["process", ...hostPlatforms])("a server that %s runs", (way) => {
  test.each(["session", "caller"] as const)("isolation %s: nobody reads another caller's state", async (isolation) => {
    const { server } = await reached(way, isolation);
    const gateway = await gatewayOf(server);
    await leaveNotes(at(gateway, "alice"), "CANARY of alice");
    await leaveNotes(at(gateway), "CANARY of nobody");
    for (const mode of ["legacy", "auto"] as const) {
      const caller = await overTcp(at(gateway), mode);
      closing.push(() => caller.close());
      await caller.put("CANARY over TCP");
    }
    expect({ bob: await seen(at(gateway, "bob")), anonymous: await seen(at(gateway)) }).toEqual({
      bob: {},
      anonymous: {},
    });
    // The notes are there: the same caller finds its own.
    const alice = await open(at(gateway, "alice"), "/mcp, stateless");
    expect(await alice.look()).toContain("CANARY of alice");
  });
});

describe.each(hostPlatforms)("a server host that %s runs", (way) => {
  test("two gateways and clients of the host itself never meet", async () => {
    const { server, url, token } = await reached(way, "caller");
    const [one, other] = [await gatewayOf(server), await gatewayOf(server)];
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const direct: Place = { url: url as string, headers, prefix: "" };
    await leaveNotes(at(one, "alice"), "CANARY of one gateway");
    await leaveNotes(direct, "CANARY of a client of the host");
    const batch = [
      {
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "put", arguments: { text: "CANARY in a batch" } },
      },
      { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "get" } },
    ];
    const post = async (body: object) => {
      const answer = await request(`${url}/batch`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      });
      return answer.body.text();
    };
    expect(await post(batch)).toContain("kept");
    expect(await post(batch.slice(1))).toContain("(nothing)");
    expect({ sameName: await seen(at(other, "alice")), direct: await seen(direct) }).toEqual({
      sameName: {},
      direct: {},
    });
  });
});

test("sessions that outlive their host do not meet", async () => {
  const args = {
    isolation: "caller" as const,
    container: { image: "note:1", command: process.execPath, args: [fixture] },
  };
  const before = await startDeployed("docker", args);
  const gateway = await gatewayOf({ type: "custom", isolation: "caller", endpoints: [`${before.url}/mcp`] });
  const [alice, bob] = [
    await open(at(gateway, "alice"), "/mcp, session"),
    await open(at(gateway, "bob"), "/mcp, session"),
  ];
  await alice.put("CANARY before");
  expect(await bob.look()).not.toContain("CANARY");
  await before.stop();
  const after = await startDeployed("docker", args, new URL(before.url).port);
  closing.push(() => after.stop());
  // The first calls may still find the connection of the host that is gone.
  while (!String(await alice.put("CANARY after").then(JSON.stringify, String)).includes("kept"));
  let view = await bob.look().catch(String);
  while (!view.includes("(nothing)")) {
    expect(view).not.toContain("CANARY");
    view = await bob.look().catch(String);
  }
  expect(view).not.toContain("CANARY");
  expect(await alice.look()).toContain("CANARY after");
});

test.each(["ws", "sse"] as const)("a gateway that reaches a host by %s keeps its callers apart", async (protocol) => {
  const { url, server } = await reached("docker", "caller");
  const path = { ws: `${(url as string).replace("http", "ws")}/ws`, sse: `${url}/sse` }[protocol];
  const gateway = await gatewayOf({ ...server, protocol, endpoints: [path] });
  await leaveNotes(at(gateway, "alice"), "CANARY of alice");
  expect(await seen(at(gateway, "bob"))).toEqual({});
});

test("what a server behind a host asks, its own caller answers", async () => {
  const { server } = await reached("docker", "caller");
  const gateway = await gatewayOf(server);
  const answers = ["alice", "bob"].flatMap((name) =>
    [0, 1, 2].map(async () => {
      const { url, headers } = at(gateway, name);
      const client = new Client({ name, version: "1" }, { capabilities: { elicitation: { form: {} } } });
      client.setRequestHandler("elicitation/create", async () => ({ action: "accept", content: { name } }));
      await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit: { headers } }));
      closing.push(() => client.close());
      const { content } = await client.callTool({ name: "note__ask", arguments: {} });
      return (content as { text: string }[])[0]?.text;
    }),
  );
  expect(await Promise.all(answers)).toEqual(["alice", "alice", "alice", "bob", "bob", "bob"]);
});

test("isolation shared: each caller gets the answers to its own calls", async () => {
  for (const way of ["process", "docker"]) {
    const { server } = await reached(way, "shared");
    const { url } = await gatewayOf(server);
    const echo = async (who: string, n: number) => {
      const answer = await request(`${url}/api/v1/servers/note/tools/echo`, {
        method: "POST",
        body: JSON.stringify({ text: `${who} ${n}` }),
        headers: { "content-type": "application/json", authorization: `Bearer token-of-${who}` },
      });
      return answer.body.json();
    };
    const calls = Array.from({ length: 40 }, (_, n) => [n % 2 === 0 ? "alice" : "bob", n] as const);
    expect(await Promise.all(calls.map(([who, n]) => echo(who, n)))).toEqual(
      calls.map(([who, n]) => ({ result: { content: [{ type: "text", text: `${who} ${n}` }] } })),
    );
  }
});
