import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Gateway, Server } from "../../runtime/config/schema/index.ts";
import { identify } from "../../runtime/orchestrator/process-identity.ts";
import { operate } from "../../runtime/orchestrator/process-platform/index.ts";
import type { Operation, ResourceKind } from "../../runtime/orchestrator/process-platform/operations.ts";
import { Certificates } from "../support/certificates.ts";
import { freePort } from "../support/checkout.ts";
import { statefulServer } from "../support/gateway.ts";
import { Load } from "../support/load.ts";
import { PlainClient } from "../support/steady-load.ts";

// What an update does to a daemon that serves calls, without an engine.
const entry = join(import.meta.dirname, "../../runtime/cli/main.ts");
type Outs = Record<string, unknown> & { pid: number; url: string };
type Answer = { ok: boolean; message?: string; outs?: Outs; failures?: object[] };

let folder: string;
let stateDirectory: string;
let settings: Gateway;
let running: Outs;
let load: Load | undefined;

const run = async (kind: ResourceKind, operation: Operation, request: object) =>
  (await operate(kind, operation, request, entry, () => {})) as unknown as Answer;
const inputs = (more: Partial<Gateway> = {}) => ({
  ...{ name: "gateway", stateDirectory, fleets: ["notes"] },
  gateway: { ...settings, ...more },
});
const update = (more: Partial<Gateway>) => run("gateway", "update", { inputs: inputs(more), olds: running });
const alive = (pid: number) => identify(pid) !== undefined;
const callers = 6;
/** Several gateways start in one test, on a machine that can be busy with others. */
const busyMs = 180_000;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "platform-updates-test-"));
  stateDirectory = join(folder, "state");
  settings = { port: await freePort() };
  await run("fleet", "create", {
    inputs: { name: "notes", stateDirectory, server: statefulServer({ isolation: "shared" }) },
  });
  running = (await run("gateway", "create", { inputs: inputs() })).outs as Outs;
  const call = { name: "notes__count", arguments: {} };
  load = await Load.start(`${running.url}/mcp`, { clients: callers, pauseMs: 5, call, headers: {} });
});
afterEach(async () => {
  await load?.stop();
  await run("gateway", "delete", { olds: running });
  await run("fleet", "delete", { olds: { name: "notes", stateDirectory } });
  await rm(folder, { recursive: true, force: true });
});

/** Every call was answered, and every session went on. */
async function nothingFailed(): Promise<void> {
  const { calls, failures, sessions } = await (load as Load).stop();
  expect([failures, sessions]).toEqual([[], callers]);
  expect(calls).toBeGreaterThan(callers);
}

test(
  "files, variables and ports that are not there are refused by preview and by the update, and the gateway goes on",
  async () => {
    const certificates = new Certificates();
    const own = certificates.sign("own", "localhost");
    const other = certificates.sign("other", "localhost");
    const missing = join(folder, "missing.pem");
    const wrong: [Partial<Gateway>, string][] = [
      [{ tls: { certFile: missing, keyFile: own.key } }, `tls.certFile: ${missing} cannot be read`],
      [{ tls: { certFile: own.cert, keyFile: other.key } }, "give a certificate and its own key in PEM"],
      [{ auth: { bearerTokens: [{ name: "a", token: "${NOT_SET_HERE}" }] } }, "the variable NOT_SET_HERE is not set"],
      [{ auth: { bearerTokens: [{ name: "a", token: `file:${missing}` }] } }, `the file ${missing} cannot be read`],
      [{ listeners: { tcp: { port: settings.port as number } } }, "listeners.tcp.port: cannot listen on"],
      [{ log: { file: "/proc/no/gateway.log" } }, "log.file: /proc/no/gateway.log"],
    ];
    for (const [more, reason] of wrong) {
      const failure = { property: "gateway", reason: expect.stringContaining(reason) };
      expect((await run("gateway", "check", { inputs: inputs(more) })).failures).toContainEqual(failure);
      expect(await update(more)).toEqual({ ok: false, message: expect.stringContaining(reason) });
    }
    expect(alive(running.pid)).toBe(true);
    await nothingFailed();
    certificates.close();
  },
  busyMs,
);

test("a change that a running gateway can take over restarts neither it nor a server", async () => {
  const servers = readdirSync(join(stateDirectory, "instances"));
  const answer = await update({
    rateLimiting: { caller: { maxRequests: 100_000 } },
  });
  expect(answer).toMatchObject({ ok: true, outs: { pid: running.pid } });
  expect(readdirSync(join(stateDirectory, "instances"))).toEqual(servers);
  await nothingFailed();
});

test(
  "a gateway at any free port keeps the one that it has",
  async () => {
    for (const maxBodyBytes of [1_000_000, 2_000_000]) {
      expect(await update({ port: 0, maxBodyBytes })).toMatchObject({ ok: true, outs: { url: running.url } });
    }
    await nothingFailed();
  },
  busyMs,
);

test(
  "worker processes hand over to those of the next gateway without a failed call",
  async () => {
    const workers = await update({ workers: 2 });
    expect(workers).toMatchObject({ ok: true, outs: { url: running.url } });
    expect(await update({ workers: 2, maxBodyBytes: 1_000_000 })).toMatchObject({
      ok: true,
      outs: { url: running.url },
    });
    await nothingFailed();
  },
  busyMs,
);

test(
  "a change that needs another process costs no call and no session",
  async () => {
    const answer = await update({ maxBodyBytes: 1_000_000 });
    expect(answer).toMatchObject({ ok: true, outs: { url: running.url, status: "running" } });
    const { pid } = answer.outs as Outs;
    expect([pid === running.pid, alive(running.pid), alive(pid)]).toEqual([false, false, true]);
    await nothingFailed();
    // The next one takes over in its turn, and ends as the first would.
    const next = await update({ maxBodyBytes: 2_000_000 });
    expect(next).toMatchObject({ ok: true, outs: { url: running.url } });
    expect(await run("gateway", "delete", { olds: next.outs as Outs })).toEqual({ ok: true });
    expect([alive(pid), alive((next.outs as Outs).pid)]).toEqual([false, false]);
  },
  busyMs,
);

const fleet = (server: Server) => ({ name: "notes", stateDirectory, server });
const changed = (server: Server) => run("fleet", "update", { inputs: fleet(server), olds: {} });

test("a good change of a server costs no call and no session, and sessions keep what their processes remember", async () => {
  const own = statefulServer({ isolation: "session", scaling: { maxInstances: 20 } });
  expect(await changed(own)).toMatchObject({ ok: true });
  const client = await PlainClient.open(`${running.url}/mcp/notes`);
  const { pid } = await client.call("count");
  expect(await changed({ ...own, timeouts: { requestMs: 60_000 } })).toMatchObject({ ok: true });
  expect(await client.call("count")).toEqual({ count: 2, pid });
  await nothingFailed();
});

test.each([
  ["ends at once", { process: { command: "false" } }, /did not start/],
  ["hangs", { process: { command: "sleep", args: ["1000"] }, timeouts: { connectMs: 2000 } }, /within 2000 ms/],
])("a server that %s after a change fails the update, and the one before goes on", async (_how, more, reason) => {
  const client = await PlainClient.open(`${running.url}/mcp/notes`);
  const { pid } = await client.call("count");
  const before = readFileSync(join(stateDirectory, "servers/notes.json"), "utf8");
  const answer = await changed({ ...statefulServer({ isolation: "shared" }), ...more });
  expect(answer).toEqual({ ok: false, message: expect.stringMatching(reason) });
  expect(readFileSync(join(stateDirectory, "servers/notes.json"), "utf8")).toBe(before);
  expect(await client.call("count")).toMatchObject({ pid });
  await nothingFailed();
});

test("a gateway that cannot start leaves the one before, its settings and its calls", async () => {
  const before = readFileSync(join(stateDirectory, "gateway.json"), "utf8");
  mkdirSync(join(folder, "taken.log"));
  const answer = await update({ log: { file: join(folder, "taken.log") } });
  const reason = expect.stringMatching(/taken\.log.*; the gateway before it goes on$/s);
  expect(answer).toEqual({ ok: false, message: reason });
  expect(readFileSync(join(stateDirectory, "gateway.json"), "utf8")).toBe(before);
  expect(await run("gateway", "read", { olds: running })).toMatchObject({
    outs: { pid: running.pid, status: "running" },
  });
  await nothingFailed();
});

test("after an update from an earlier version that fails, the gateway before serves again", async () => {
  await load?.stop();
  const file = join(stateDirectory, "gateway.pid");
  const { pid, startedAt } = JSON.parse(readFileSync(file, "utf8"));
  // What an earlier version has written: its process cannot share its port.
  writeFileSync(file, JSON.stringify({ pid, startedAt }));
  mkdirSync(join(folder, "taken.log"));
  const answer = await update({ log: { file: join(folder, "taken.log") } });
  const reason = expect.stringMatching(/taken\.log.*; the gateway before it serves again$/s);
  expect([answer, alive(pid)]).toEqual([{ ok: false, message: reason }, false]);
  expect(await (await fetch(`${running.url}/health`)).json()).toEqual({ status: "ok" });
});
