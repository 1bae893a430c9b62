import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { identify } from "../../runtime/orchestrator/process-identity.ts";
import { operate } from "../../runtime/orchestrator/process-platform/index.ts";
import type { Operation, ResourceKind } from "../../runtime/orchestrator/process-platform/operations.ts";
import { freePort } from "../support/checkout.ts";
import { statefulServer } from "../support/gateway.ts";

// What the Pulumi resources run, with a real daemon and without an engine.
const entry = join(import.meta.dirname, "../../runtime/cli/main.ts");
let folder: string;
let fleet: Record<string, unknown>;
let gateway: Record<string, unknown>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "platform-test-"));
  const stateDirectory = join(folder, "state");
  fleet = { name: "notes", stateDirectory, server: statefulServer() };
  gateway = { name: "gateway", stateDirectory, gateway: { port: await freePort() }, fleets: ["notes"] };
});
afterEach(async () => {
  await run("gateway", "delete", { olds: gateway });
  await rm(folder, { recursive: true, force: true });
});

async function run(kind: ResourceKind, operation: Operation, request: object): Promise<Record<string, unknown>> {
  return (await operate(kind, operation, request, entry, () => {})) as unknown as Record<string, unknown>;
}
async function up(): Promise<{ outs: Record<string, unknown> & { pid: number } }> {
  await run("fleet", "create", { inputs: fleet });
  const answer = await run("gateway", "create", { inputs: gateway });
  expect(answer).toMatchObject({ ok: true, outs: { status: "running" } });
  return answer as { outs: Record<string, unknown> & { pid: number } };
}
const alive = (pid: number) => identify(pid) !== undefined;

test("a fleet and its gateway come up, answer, and go without a trace", async () => {
  const { outs } = await up();
  const health = await fetch(`${outs.url}/ready`);
  expect(health.status).toBe(200);
  expect(await run("gateway", "diff", { inputs: gateway, olds: outs })).toEqual({
    ok: true,
    changes: false,
    replaces: [],
  });
  expect(await run("gateway", "delete", { olds: outs })).toEqual({ ok: true });
  expect(await run("fleet", "delete", { olds: fleet })).toEqual({ ok: true });
  expect([alive(outs.pid), existsSync(join(folder, "state"))]).toEqual([false, false]);
});

test("a killed gateway is read as stopped, differs, and is repaired; what it left is ended", async () => {
  const { outs } = await up();
  const children = readdirSync(join(folder, "state/instances"));
  expect(children.length).toBeGreaterThan(0);
  process.kill(outs.pid, "SIGKILL");
  while (alive(outs.pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  const read = await run("gateway", "read", { olds: outs });
  expect(read).toMatchObject({ outs: { status: "stopped" } });
  expect(await run("gateway", "diff", { inputs: gateway, olds: read.outs })).toMatchObject({ changes: true });
  const repaired = await run("gateway", "update", { inputs: gateway, olds: read.outs });
  expect(repaired).toMatchObject({ ok: true, outs: { status: "running" } });
  for (const name of children) expect(alive(Number.parseInt(name, 10))).toBe(false);
});

test("a fleet that does not start is refused with its own words, and the one before goes on", async () => {
  const { outs } = await up();
  const broken = {
    ...fleet,
    server: { type: "custom", process: { command: "sh", args: ["-c", "echo no licence >&2; exit 3"] } },
  };
  const answer = await run("fleet", "update", { inputs: broken, olds: fleet });
  expect(answer).toEqual({ ok: false, message: expect.stringContaining("no licence") });
  const servers = (await (await fetch(`${outs.url}/api/v1/servers`)).json()) as object[];
  expect(servers).toMatchObject([{ name: "notes", health: "ready" }]);
  expect(alive(outs.pid)).toBe(true);
});

test("what could not work is refused by check", async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
  const { port } = blocker.address() as { port: number };
  const busy = await run("gateway", "check", { inputs: { ...gateway, gateway: { port } } });
  blocker.close();
  const fix = "stop what listens there, or set port to another one (0 takes a free one)";
  const reason = `port: 127.0.0.1:${port} is in use by another program; ${fix}`;
  expect(busy).toEqual({ ok: true, failures: [{ property: "gateway", reason }] });
  const missing = { ...fleet, server: { type: "custom", process: { command: "no-such-server" } } };
  expect(await run("fleet", "check", { inputs: missing })).toMatchObject({
    failures: [
      { property: "server", reason: expect.stringContaining('"no-such-server" is not an executable on PATH') },
    ],
  });
  const runs = { command: "sh", env: { NOTES_TOKEN: "${NOT_SET_HERE}" } };
  const unset = { ...fleet, server: { type: "custom", process: runs } };
  const unsetFix = "set it, or write ${NOT_SET_HERE:-default}";
  const unsetReason = `process.env.NOTES_TOKEN: the variable NOT_SET_HERE is not set; ${unsetFix}`;
  expect(await run("fleet", "check", { inputs: unset })).toEqual({
    ok: true,
    failures: [{ property: "server", reason: unsetReason }],
  });
  const wrong = { ...fleet, server: { type: "custom", process: { command: "sh", arg: [] } } };
  expect(await run("fleet", "check", { inputs: wrong })).toEqual({
    ok: true,
    failures: [{ property: "server", reason: 'process.arg: is not a known key; did you mean "args"?' }],
  });
});
