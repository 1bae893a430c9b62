import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { GatewayOwner, Server } from "../../runtime/config/schema/index.ts";
import { identify } from "../../runtime/orchestrator/process-identity.ts";
import { operate } from "../../runtime/orchestrator/process-platform/index.ts";
import type { Operation, ResourceKind } from "../../runtime/orchestrator/process-platform/operations.ts";
import { freePort } from "../support/checkout.ts";
import { statefulServer } from "../support/gateway.ts";

// Whose a state folder is, and what a gateway in it serves; with real daemons.
const entry = join(import.meta.dirname, "../../runtime/cli/main.ts");
const owner: GatewayOwner = { organization: "organization", project: "shop", stack: "dev", program: "/src/shop" };
const silent: Server = {
  type: "custom",
  process: { command: "sleep", args: ["1000"] },
  timeouts: { connectMs: 60_000 },
};
type Answer = { ok: boolean; message?: string; outs?: { pid: number; url: string }; failures?: object[] };

let folder: string;
let stateDirectory: string;
let port: number;

const run = async (kind: ResourceKind, operation: Operation, request: object) =>
  (await operate(kind, operation, request, entry, () => {})) as unknown as Answer;
const fleet = (name: string, server: Server = statefulServer({ isolation: "shared" })) =>
  run("fleet", "create", { inputs: { name, stateDirectory, server } });
const gateway = (fleets: string[], more: object = {}) => ({
  ...{ name: "gateway", stateDirectory, owner, fleets, gateway: { port } },
  ...more,
});
const served = async () => {
  const servers = await (await fetch(`http://127.0.0.1:${port}/api/v1/servers`)).json();
  return (servers as { name: string }[]).map(({ name }) => name).sort();
};
const alive = (pid: number) => identify(pid) !== undefined;
const until = async (done: () => boolean) => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 20));
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "platform-folders-test-"));
  stateDirectory = join(folder, "state");
  port = await freePort();
});
afterEach(async () => {
  await run("gateway", "delete", { olds: gateway([]) });
  await rm(folder, { recursive: true, force: true });
});

test("a gateway serves the fleets that it was given and no others", async () => {
  for (const name of ["one", "internal"]) await fleet(name);
  const { outs } = await run("gateway", "create", { inputs: gateway(["one"]) });
  const initialize = (name: string) => fetch(`http://127.0.0.1:${port}/mcp/${name}`, { method: "POST", body: "{}" });
  expect([await served(), (await initialize("internal")).status]).toEqual([["one"], 404]);
  // A changed fleet that it does not serve is none of its business.
  const changed = { name: "internal", stateDirectory, server: silent };
  expect(await run("fleet", "update", { inputs: changed, olds: changed })).toMatchObject({ ok: true });
  expect(await served()).toEqual(["one"]);
  await fleet("two");
  expect(await run("gateway", "update", { inputs: gateway(["one", "two"]), olds: outs as object })).toMatchObject({
    ok: true,
    outs: { pid: outs?.pid },
  });
  expect(await served()).toEqual(["one", "two"]);
  await run("gateway", "update", { inputs: gateway(["two"]), olds: outs as object });
  expect(await served()).toEqual(["two"]);
});

test("a gateway that is given a fleet that does not start goes on with those before", async () => {
  await fleet("one");
  const { outs } = await run("gateway", "create", { inputs: gateway(["one"]) });
  await fleet("broken", { type: "custom", process: { command: "sh", args: ["-c", "echo no licence >&2; exit 3"] } });
  const answer = await run("gateway", "update", { inputs: gateway(["broken", "one"]), olds: outs as object });
  expect(answer).toEqual({ ok: false, message: expect.stringContaining("no licence") });
  expect([await served(), alive(outs?.pid as number)]).toEqual([["one"], true]);
});

test("a fleet of another state folder is named at once, with the setting to look at", async () => {
  const answer = await run("gateway", "create", { inputs: gateway(["elsewhere"]) });
  const fix = "give a gateway and its fleets the same process.stateDirectory";
  const message = `fleets: "elsewhere" is not in the state folder ${stateDirectory}; ${fix}`;
  expect(answer).toEqual({ ok: false, message });
});

test("a folder in which the gateway of another stack runs is refused and left alone", async () => {
  await fleet("one");
  const { outs } = await run("gateway", "create", { inputs: gateway(["one"]) });
  const pid = outs?.pid as number;
  const whose = 'gateway "gateway" of stack "dev" of project "shop" in /src/shop';
  const fix = "give this one a folder of its own (process.stateDirectory, MCP_FLEET_STATE), or destroy the other first";
  const reason = `in the state folder ${stateDirectory} runs the ${whose} (process ${pid}); ${fix}`;
  const others = [
    gateway(["one"], { owner: { ...owner, project: "other" } }),
    gateway(["one"], { owner: { ...owner, organization: "other" } }),
    gateway(["one"], { name: "outside" }),
    gateway(["one"], { owner: { ...owner, program: "/src/clone" } }),
  ];
  for (const inputs of others) {
    expect(await run("gateway", "check", { inputs, olds: {} })).toEqual({
      ok: true,
      failures: [{ property: "stateDirectory", reason }],
    });
    expect(await run("gateway", "create", { inputs })).toEqual({ ok: false, message: reason });
  }
  for (const inputs of others.slice(0, 3)) {
    expect(await run("gateway", "read", { olds: inputs })).toEqual({ ok: true });
    expect(await run("gateway", "delete", { olds: inputs })).toEqual({ ok: true });
  }
  // The same stack, whose program was moved.
  const moved = gateway(["one"], { owner: { ...owner, program: "/src/moved" } });
  expect(await run("gateway", "check", { inputs: moved, olds: gateway(["one"]) })).toEqual({ ok: true, failures: [] });
  expect(await run("gateway", "update", { inputs: moved, olds: outs as object })).toMatchObject({ outs: { pid } });
  expect(alive(pid)).toBe(true);
});

test("a daemon ends when what started it dies before it serves, and the last fleet leaves nothing", async () => {
  await fleet("silent", silent);
  const child = spawn(process.execPath, [entry, "platform", "gateway", "create"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.stdin.end(JSON.stringify({ inputs: gateway(["silent"]) }));
  const instances = join(stateDirectory, "instances");
  await until(() => existsSync(instances) && readdirSync(instances).length > 0);
  const { pid } = JSON.parse(readFileSync(join(stateDirectory, "gateway.pid"), "utf8"));
  const server = Number.parseInt(readdirSync(instances)[0] as string, 10);
  child.kill("SIGKILL");
  await until(() => !alive(pid));
  expect(alive(server)).toBe(false);
  expect(await run("fleet", "delete", { olds: { name: "silent", stateDirectory } })).toEqual({ ok: true });
  expect(existsSync(stateDirectory)).toBe(false);
});
