import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { identify, isAlive, type ProcessIdentity, sendSignal } from "../../../runtime/orchestrator/process-identity.ts";
import { endStrays } from "../../../runtime/orchestrator/strays.ts";

let folder: string;
let left: ProcessIdentity;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "strays-test-"));
});
afterEach(async () => {
  sendSignal(left.pid, "SIGKILL");
  await rm(folder, { recursive: true });
});

/** Leaves a process behind that has neither its parent nor its session. */
async function leave(env: Readonly<Record<string, string>>): Promise<void> {
  const script = "setsid sleep 600 >/dev/null 2>&1 & echo $!";
  const child = spawn("/bin/sh", ["-c", script], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [pid] = await Promise.all([text(child.stdout), once(child, "exit")]);
  left = identify(Number(pid)) as ProcessIdentity;
}

test("a process that has left its parent and its session is found by its temporary folder", async () => {
  await leave({ TMPDIR: folder });
  expect(await endStrays(`${folder}-other`)).toEqual([]);
  expect([isAlive(left), (await endStrays(folder)).length, isAlive(left)]).toEqual([true, 1, false]);
});

test("one without that folder in its environment is found when it was seen before", async () => {
  await leave({});
  expect([(await endStrays(folder)).length, isAlive(left)]).toEqual([0, true]);
  expect([(await endStrays(folder, [left])).length, isAlive(left)]).toEqual([1, false]);
});
