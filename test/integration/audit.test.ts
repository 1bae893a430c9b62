import { mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Audit } from "../../runtime/config/schema/index.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";

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
  // The folder turns into a file: the next rotation fails.
  await rename(folder, `${folder}-gone`);
  await writeFile(folder, "");
  const outcomes = [];
  for (let round = 0; round < 20; round += 1) outcomes.push(await call());
  expect(outcomes.at(-1)).toBe(failClosed ? "the call cannot be noted" : "made");
  await rm(folder);
  await rename(`${folder}-gone`, folder);
});

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
