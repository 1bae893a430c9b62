import { afterEach, expect, test } from "@jest/globals";
import { identify, isAlive, startText } from "../../../runtime/orchestrator/process-identity.ts";
import { systemProblem } from "../../../runtime/orchestrator/process-platform/systems.ts";

const { TZ: zone } = process.env;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

test("a process is the same one after the machine has changed its time zone", () => {
  const seen = ["Asia/Tokyo", "America/New_York"].map((TZ) => {
    process.env.TZ = TZ;
    return [startText(process.pid), startText(process.pid, process.env)];
  });
  const [[inTokyo, localInTokyo], [inNewYork, localInNewYork]] = seen as [string[], string[]];
  expect([inTokyo, localInTokyo === localInNewYork]).toEqual([inNewYork, false]);
});

test("a living process is told from one that had its process id before", () => {
  const self = identify(process.pid);
  expect(isAlive(self as NonNullable<typeof self>)).toBe(true);
  expect(isAlive({ pid: process.pid, startedAt: "1" })).toBe(false);
});

test("a system on which daemons cannot be told apart is refused in one sentence", () => {
  expect([systemProblem("linux"), systemProblem("darwin")]).toEqual([undefined, undefined]);
  const fix = "use WSL 2 on Windows, or set platform to docker or kubernetes";
  expect(systemProblem("win32")).toBe(`the platform process runs on Linux and macOS, not on win32; ${fix}`);
});
