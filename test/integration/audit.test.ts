import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Agent, request } from "undici";
import type { Audit } from "../../runtime/config/schema/index.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";
import { Serving } from "../support/serving.ts";

let folder: string;
let it: TestGateway;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "audit-test-"));
});
afterEach(async () => {
  await it.close();
  await rm(folder, { recursive: true, force: true });
});

const start = async (audit: Partial<Audit>) => {
  it = await TestGateway.start({
    gateway: {
      audit: { file: join(folder, "audit.log"), ...audit },
      auth: { bearerTokens: [{ name: "ann", token: "ann-token" }] },
      authorization: { rules: [{ effect: "allow", tools: ["count", "where"] }] },
    },
    servers: { notes: statefulServer() },
  });
  return it.connect("/mcp/notes", { authorization: "Bearer ann-token" });
};
const lines = async () =>
  (await readFile(join(folder, "audit.log"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => {
      const { time, ms, ...rest } = JSON.parse(line);
      expect([Date.parse(time) > 0, ms === undefined || ms >= 0]).toEqual([true, true]);
      return rest;
    });
const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

test("each call is a line: who, what, outcome, digest of the arguments, trace; nothing of their content", async () => {
  const client = await start({});
  await client.callTool({ name: "count", arguments: { b: 1, a: "canary" }, _meta: { traceparent } });
  await client.callTool({ name: "count", arguments: { a: "canary", b: 1 } });
  await client.callTool({ name: "crash", arguments: {} }).catch(() => {});
  await client.listTools();
  await it.stop();
  const about = { event: "call", caller: "ann", by: "bearer", server: "notes", method: "tools/call" };
  const argumentsDigest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
  const seen = await lines();
  expect(seen).toEqual([
    { ...about, tools: "count", outcome: "ok", argumentsDigest, traceId: "4bf92f3577b34da6a3ce929d0e0e4736" },
    { ...about, tools: "count", outcome: "ok", argumentsDigest },
    { ...about, tools: "crash", outcome: "FORBIDDEN", argumentsDigest },
  ]);
  expect(seen[0].argumentsDigest).toBe(seen[1].argumentsDigest);
  expect(await readFile(join(folder, "audit.log"), "utf8")).not.toContain("canary");
  expect((await stat(join(folder, "audit.log"))).mode & 0o077).toBe(0);
});

test("what a server is asked besides tools is noted, and what nobody may call: a denied tool, a method that is not allowed", async () => {
  it = await TestGateway.start({
    gateway: {
      audit: { file: join(folder, "audit.log") },
      auth: { bearerTokens: [{ name: "ann", token: "ann-token" }] },
    },
    servers: {
      notes: statefulServer({ tools: { deny: ["crash"] }, methods: { allow: ["acme/wipe"] } }),
    },
  });
  const client = await it.connect("/mcp/notes", { authorization: "Bearer ann-token" });
  const authorized = { authorization: "Bearer ann-token", "content-type": "application/json" };
  for (const method of ["acme/wipe", "acme/other"]) {
    const answer = await request(new URL("/api/v1/servers/notes/requests", it.url), {
      method: "POST",
      headers: authorized,
      body: JSON.stringify({ method, params: { name: "everything" } }),
    });
    await answer.body.text();
  }
  await client.callTool({ name: "crash", arguments: {} }).catch(() => {});
  await client.subscribeResource({ uri: "x://a" }).catch(() => {});
  await client.ping();
  await it.stop();
  const about = { event: "call", caller: "ann", by: "bearer", server: "notes" };
  expect(await lines()).toEqual([
    { ...about, method: "acme/wipe", methods: "acme/wipe", outcome: "error" },
    { ...about, method: "acme/other", name: "everything", outcome: "METHOD_NOT_FOUND" },
    { ...about, method: "tools/call", name: "crash", outcome: "INVALID_PARAMS" },
    { ...about, method: "resources/subscribe", resources: "x://a", outcome: "ok" },
  ]);
});

test("arguments are kept when that is asked for", async () => {
  const client = await start({ arguments: "content" });
  await client.callTool({ name: "count", arguments: { a: 1 } });
  await it.stop();
  expect(await lines()).toMatchObject([{ outcome: "ok", arguments: { a: 1 } }]);
});

test.each([true, false])("the log cannot be written (fail closed: %s)", async (failClosed) => {
  const client = await start({ failClosed, maxBytes: 1024, maxFiles: 1 });
  const call = () =>
    client.callTool({ name: "count", arguments: {} }).then(
      () => "made",
      (error: Error) => /the call cannot be noted/.exec(error.message)?.[0] ?? error.message,
    );
  expect(await call()).toBe("made");
  while (!(await readFile(join(folder, "audit.log"), "utf8")).includes('"call"')) await new Promise(setImmediate);
  // The folder turns into a file: the next rotation fails.
  await rename(folder, `${folder}-gone`);
  await writeFile(folder, "");
  const outcomes = [];
  for (let round = 0; round < 20; round += 1) outcomes.push(await call());
  expect(outcomes.at(-1)).toBe(failClosed ? "the call cannot be noted" : "made");
  const authorized = { headers: { authorization: "Bearer ann-token" } };
  const ready = async () => (await fetch(new URL("/ready", it.url))).status;
  const metric = async (name: string) =>
    Number(
      new RegExp(`^${name} (\\d+)$`, "m").exec(
        await (await fetch(new URL("/metrics", it.url), authorized)).text(),
      )?.[1],
    );
  expect([await ready(), it.gateway.status().audit?.state, await metric("mcp_audit_failing")]).toEqual([
    ...[failClosed ? 503 : 200, "failing", 1],
  ]);
  await rm(folder);
  await rename(`${folder}-gone`, folder);
  // Without a restart: it is tried again with pauses of up to five seconds.
  while (it.gateway.status().audit?.state !== "ok") await new Promise((resolve) => setTimeout(resolve, 20));
  expect([await call(), await ready(), await metric("mcp_audit_failing")]).toEqual(["made", 200, 0]);
  await it.stop();
  const gaps = (await lines()).filter(({ event }) => event === "gap");
  const lost = it.gateway.status().audit?.lost;
  expect(gaps.reduce((sum, gap) => sum + gap.lost, 0)).toBe(lost);
  expect(lost).toBeGreaterThan(0);
});

test("a caller with long names, URIs and arguments cannot roll away what was noted before", async () => {
  const client = await start({ arguments: "content", maxBytes: 100_000, maxFiles: 2 });
  await client.callTool({ name: "count", arguments: {} });
  const long = "n".repeat(900_000);
  for (let round = 0; round < 8; round += 1) {
    await client.callTool({ name: `${long.slice(0, 1000)}${round}`, arguments: { long } }).catch(() => {});
    await client.readResource({ uri: `x://${long.slice(0, 8000)}` }).catch(() => {});
    // Longer than any name may be: stopped before a rule is asked.
    await client.callTool({ name: long, arguments: { long } }).catch(() => {});
  }
  await it.stop();
  const parts = (await readdir(folder)).filter((name) => name.endsWith("audit.log")).sort();
  const texts = await Promise.all(parts.map((name) => readFile(join(folder, name), "utf8")));
  const seen = texts.flatMap((text) => text.trim().split("\n")).map((line) => JSON.parse(line));
  expect([seen[0]?.tools, seen.length, parts.length]).toEqual(["count", 25, 2]);
  const about = { event: "call", caller: "ann", by: "bearer", server: "notes", method: "tools/call" };
  expect(seen[1]).toEqual({
    ...about,
    time: expect.any(String),
    ms: expect.any(Number),
    outcome: "FORBIDDEN",
    tools: expect.stringMatching(/^n{256}… \(1001 characters, sha256:[0-9a-f]{64}\)$/),
    argumentsBegin: `{"long":"${"n".repeat(16 * 1024 - 9)}`,
    argumentsDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
  });
  expect(seen[3]).toEqual({
    ...about,
    time: expect.any(String),
    outcome: "INVALID_PARAMS",
    name: expect.stringMatching(/^n{256}… \(900000 characters, sha256:[0-9a-f]{64}\)$/),
  });
});

test("refusals stand in a file of their own as well, which calls cannot rotate away", async () => {
  const client = await start({ maxBytes: 2000, maxFiles: 1 });
  await (await fetch(new URL("/mcp", it.url), { method: "POST", headers: { authorization: "Bearer x" } })).text();
  for (let round = 0; round < 40; round += 1) {
    const name = round === 20 ? "crash" : "count";
    await client.callTool({ name, arguments: {} }).catch(() => {});
  }
  await it.stop();
  const refused = (await readFile(join(folder, "audit.refused.log"), "utf8")).trim().split("\n");
  expect(refused.map((line) => JSON.parse(line).outcome)).toEqual(["TOKEN_REFUSED", "FORBIDDEN"]);
  expect((await stat(join(folder, "audit.refused.log"))).mode & 0o777).toBe(0o600);
});

test("a flood of calls that are refused has the bound of refusals", async () => {
  const client = await start({ refusalsPerMinute: 50 });
  await client.callTool({ name: "count", arguments: {} });
  for (let round = 0; round < 30; round += 1) await client.callTool({ name: "crash", arguments: {} }).catch(() => {});
  await it.stop();
  const seen = await lines();
  const noted = seen.filter(({ outcome }) => outcome === "FORBIDDEN").length;
  // Another minute may have begun.
  expect(noted === 5 || noted === 10).toBe(true);
  expect(seen.at(-1)).toEqual({ event: "refused", unnoted: 30 - noted });
});

test("two workers that rotate one file under load lose nothing", async () => {
  const serving = await Serving.start(
    {
      gateway: {
        ...{
          workers: 2,
          log: { level: "info" },
          audit: { file: join(folder, "audit.log"), maxBytes: 5000, maxFiles: 999 },
        },
      },
      servers: { notes: statefulServer({ isolation: "shared" }) },
    },
    "workers serve",
  );
  it = await TestGateway.start({ servers: { notes: statefulServer() } });
  const dispatcher = new Agent({ pipelining: 0, connections: 8 });
  const call = async (index: number) => {
    const url = `${serving.url}/api/v1/servers/notes/tools/count`;
    const headers = { "content-type": "application/json" };
    const answer = await request(url, { method: "POST", headers, body: JSON.stringify({ index }), dispatcher });
    await answer.body.dump();
    return answer.statusCode;
  };
  for (let round = 0; round < 20; round += 1) {
    const statuses = await Promise.all(Array.from({ length: 20 }, (_, index) => call(round * 20 + index)));
    expect(new Set(statuses)).toEqual(new Set([200]));
  }
  expect(await serving.counter("mcp_audit_lost_total", /./)).toBe(0);
  await serving.stop();
  await dispatcher.close();
  const names = (await readdir(folder)).filter((name) => name.endsWith("audit.log"));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  const calls = texts.flatMap((text) =>
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  );
  expect([calls.length, new Set(calls.map(({ event }) => event))]).toEqual([400, new Set(["call"])]);
  expect(names.length).toBeGreaterThan(5);
}, 60_000);

test("who is not let in is noted: from where, with what kind of credential, why; nothing of the credential", async () => {
  await start({});
  const post = async (path: string, headers: Record<string, string>) => {
    const response = await fetch(new URL(path, it.url), { method: "POST", headers, body: "{}" });
    await response.text();
    return response.status;
  };
  const basic = `Basic ${Buffer.from("ann:canary-password").toString("base64")}`;
  const statuses = [
    await post("/mcp/notes", { authorization: "Bearer canary-token" }),
    await post("/mcp", { authorization: basic }),
    await post("/api/v1/servers/notes/requests", { authorization: "Canary of-my-own" }),
    await post(`/mcp/${"canary".repeat(20)}`, {}),
  ];
  expect(statuses).toEqual([401, 401, 401, 401]);
  await it.stop();
  const about = { event: "refused", address: "127.0.0.1" };
  const none = "Unauthorized: send a configured token as `Authorization: Bearer <token>`";
  expect(await lines()).toEqual([
    {
      ...{ ...about, outcome: "TOKEN_REFUSED", by: "bearer", listener: "mcp", server: "notes" },
      reason: "Unauthorized: the token is not accepted: it is not one that is known here",
    },
    { ...about, outcome: "UNAUTHENTICATED", by: "basic", listener: "mcp", reason: none },
    { ...about, outcome: "UNAUTHENTICATED", by: "other", listener: "rest", reason: none },
    { ...about, outcome: "UNAUTHENTICATED", by: "none", listener: "mcp", reason: none },
  ]);
  expect(await readFile(join(folder, "audit.log"), "utf8")).not.toMatch(/canary/i);
});

test.each([
  [20, 2],
  [0, 0],
])(
  "a flood fills no disk: with refusalsPerMinute %i, %i lines for one address and one for the rest",
  async (refusalsPerMinute, noted) => {
    await start({ refusalsPerMinute });
    for (let round = 0; round < 100; round += 1) {
      const headers = { authorization: `Bearer wrong-${round}` };
      await (await fetch(new URL("/mcp", it.url), { method: "POST", headers, body: "{}" })).text();
    }
    await it.stop();
    const seen = await lines();
    expect(seen.slice(0, noted).map(({ outcome }) => outcome)).toEqual(Array(noted).fill("TOKEN_REFUSED"));
    // Without a sleep of a minute: a test that crosses into the next one notes as many again.
    const rest = seen.slice(noted);
    expect(rest.filter(({ unnoted }) => unnoted === undefined).length).toBeLessThanOrEqual(noted);
    const unnoted = rest.reduce((sum, line) => sum + (line.unnoted ?? 0), 0);
    expect(unnoted).toBe(100 - seen.filter((line) => line.outcome !== undefined).length);
  },
);
