import { type StdioOptions, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import pino from "pino";
import { ProcessDriver, type ProcessSpec } from "../../../runtime/orchestrator/process-driver.ts";
import { identify, isAlive } from "../../../runtime/orchestrator/process-identity.ts";

const log = pino({ level: "silent" });
let folder: string;
let driver: ProcessDriver;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "driver-test-"));
  driver = new ProcessDriver({ log, stateDirectory: folder });
});
afterEach(async () => {
  await driver.close();
  expect([driver.running, readdirSync(join(folder, "instances"))]).toEqual([0, []]);
  await rm(folder, { recursive: true });
});

const node = (script: string, more: Partial<ProcessSpec> = {}): ProcessSpec => ({
  fleet: "fake",
  command: process.execPath,
  args: ["-e", script],
  env: {},
  ...more,
});
const waits = "process.stdin.resume()";

test("a process gets its own folder and environment, and nothing of ours that could be a secret", async () => {
  process.env.TEST_SECRET = "s3cret";
  const spec = node(
    "console.log(JSON.stringify([process.cwd(), process.env.TMPDIR, process.env.A, process.env.TEST_SECRET ?? null]))",
    { env: { A: "b" } },
  );
  const child = await driver.start(spec);
  const [cwd, temporary, a, secret] = JSON.parse(await text(child.stdout));
  delete process.env.TEST_SECRET;
  expect([cwd === temporary, cwd.startsWith(join(tmpdir(), "mcp-fleet-")), a, secret]).toEqual([true, true, "b", null]);
  expect(await child.ended).toEqual({ code: 0, signal: null, stderr: "" });
  await child.stop();
  expect(existsSync(cwd)).toBe(false);
});

test("what the gateway has inherited is not open in a server", async () => {
  const driverFile = join(import.meta.dirname, "../../../runtime/orchestrator/process-driver.ts");
  const list =
    "process.stdout.write(fs.readdirSync('/proc/self/fd').flatMap((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd) } catch { return [] } }).join())";
  const gateway = `import pino from "pino";
    import { text } from "node:stream/consumers";
    import { ProcessDriver } from ${JSON.stringify(driverFile)};
    const driver = new ProcessDriver({ log: pino({ level: "silent" }) });
    const child = await driver.start({ fleet: "fake", command: process.execPath, args: ["-e", ${JSON.stringify(list)}], env: {} });
    process.stdout.write(await text(child.stdout));`;
  const key = join(folder, "key");
  await writeFile(key, "s3cret");
  const open = openSync(key, "r");
  try {
    // 40 is beyond what Node.js closes itself.
    const stdio: StdioOptions = ["ignore", "pipe", "inherit", ...new Array(37).fill("ignore"), open];
    const child = spawn(process.execPath, ["--input-type=module", "-e", gateway], { cwd: process.cwd(), stdio });
    const seen = await text(child.stdout as Readable);
    expect([seen.includes("/dev/null"), seen.includes(key)]).toEqual([true, false]);
  } finally {
    closeSync(open);
  }
});

test("the end of a process tells its code and its last words", async () => {
  const child = await driver.start(
    node("for (let n = 0; n < 30; n++) console.error('line ' + n); process.exitCode = 3"),
  );
  const { code, stderr } = await child.ended;
  expect([code, stderr.split("\n").length, stderr.endsWith("line 29")]).toEqual([3, 20, true]);
});

test("stop closes standard input first, and that is enough for a well-behaved server", async () => {
  const child = await driver.start(node(waits));
  await child.stop();
  expect(await child.ended).toEqual({ code: 0, signal: null, stderr: "" });
});

test("a stubborn process is killed, and what it has started goes with it", async () => {
  const script = `const { spawn } = require("node:child_process");
    process.on("SIGTERM", () => {});
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    console.log(child.pid); setInterval(() => {}, 1000);`;
  const child = await driver.start(node(script));
  const grandchild = identify(
    await new Promise<number>((resolve) => child.stdout.once("data", (data) => resolve(Number(data)))),
  );
  await child.stop(100);
  expect((await child.ended).signal).toBe("SIGKILL");
  expect(grandchild !== undefined && isAlive(grandchild)).toBe(false);
});

test("a command that is not there is named, with the field and the fix", async () => {
  await expect(driver.start(node("", { command: "no-such-command" }))).rejects.toMatchObject({
    code: "COMMAND_NOT_FOUND",
    message:
      'servers.fake.process.command: "no-such-command" is not an executable on PATH; install it, correct the name, or give an absolute path',
  });
});

test("what a killed gateway leaves is ended by the next one: processes, groups and folders", async () => {
  const gateway = `import pino from "pino";
    import { ProcessDriver } from ${JSON.stringify(join(import.meta.dirname, "../../../runtime/orchestrator/process-driver.ts"))};
    const driver = new ProcessDriver({ log: pino({ level: "silent" }), stateDirectory: ${JSON.stringify(folder)} });
    const child = await driver.start({ fleet: "fake", command: process.execPath, args: ["-e", "setInterval(() => {}, 1000)"], env: {} });
    console.log(child.pid);`;
  const killed = spawn(process.execPath, ["--input-type=module", "-e", gateway], {
    cwd: process.cwd(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const left = identify(
    await new Promise<number>((resolve) => killed.stdout.once("data", (data) => resolve(Number(data)))),
  );
  killed.kill("SIGKILL");
  await new Promise((resolve) => killed.once("exit", resolve));
  expect(left !== undefined && isAlive(left)).toBe(true);
  expect(await new ProcessDriver({ log, stateDirectory: folder }).sweep()).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(left !== undefined && isAlive(left)).toBe(false);
  expect(await driver.sweep()).toBe(0);
});

test.each<[string, Partial<ProcessSpec>, string, string]>([
  [
    "bubblewrap",
    { sandbox: {} },
    "SANDBOX_UNAVAILABLE",
    "servers.fake.sandbox: bubblewrap (bwrap) is not on PATH; install bubblewrap on this machine (Linux), or remove it",
  ],
  [
    "prlimit",
    { limits: { openFiles: 64 } },
    "COMMAND_NOT_FOUND",
    "servers.fake.limits.openFiles: is 64, but prlimit is not on PATH; install util-linux where the server runs, or remove it",
  ],
])("without %s a server that needs it is not started unconfined", async (_tool, more, code, message) => {
  const path = process.env.PATH;
  process.env.PATH = folder;
  try {
    await expect(driver.start(node(waits, more))).rejects.toMatchObject({ code, message });
    expect(driver.running).toBe(0);
  } finally {
    process.env.PATH = path;
  }
});

test("where the folder of records has gone or cannot be written, servers start, and end with the gateway", async () => {
  const records = join(folder, "instances");
  await rm(records, { recursive: true });
  const first = await driver.start(node(waits));
  expect(readdirSync(records)).toEqual([`${first.pid}.json`]);
  await first.stop();
  // Not even root can make a file below one.
  await rm(records, { recursive: true });
  await writeFile(records, "");
  const second = await driver.start(node(waits));
  expect(driver.running).toBe(1);
  await second.stop();
  expect([driver.running, isAlive({ pid: second.pid, startedAt: "" })]).toEqual([0, false]);
  await rm(records);
  await mkdir(records);
});
