import { readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import pino from "pino";
import type { Limits } from "../../runtime/config/schema/index.ts";
import { InstanceCgroups } from "../../runtime/host/instance-cgroup.ts";
import type { Excess } from "../../runtime/orchestrator/limit-watch.ts";
import { type ManagedProcess, ProcessDriver, type ProcessSpec } from "../../runtime/orchestrator/process-driver.ts";
import { has } from "../support/present.ts";

const cgroups = InstanceCgroups.open();
const lines: Record<string, unknown>[] = [];
const log = pino({ level: "info" }, { write: (line) => void lines.push(JSON.parse(line)) });
let driver: ProcessDriver;
/** A duration that no other process on this machine sleeps, so that only ours are counted. */
let nap: number;

beforeEach(() => {
  lines.length = 0;
  nap = 900_000 + Math.floor(Math.random() * 99_999);
});
afterEach(async () => {
  await driver.close();
  expect(driver.running).toBe(0);
  expect(naps()).toBe(0);
});

const naps = () =>
  readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8") === `sleep\0${nap}\0`;
    } catch {
      return false;
    }
  }).length;
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !holds(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(holds()).toBe(true);
}
const start = (command: string, args: string[], limits: Limits | undefined, more: Partial<ProcessSpec> = {}) =>
  driver.start({ fleet: "greedy", command, args, env: {}, limits, ...more });
const perl = (script: string, limits: Limits, more?: Partial<ProcessSpec>) =>
  start("/usr/bin/perl", ["-e", script], limits, more);
const overOf = async (child: ManagedProcess): Promise<Excess | undefined> => (await child.ended).over;

const memfd = process.arch === "x64" ? 319 : 279;
const fills = (mib: number, open: string) =>
  `${open}; my $part = "a" x 1048576; for (1 .. ${mib}) { syswrite($file, $part); select(undef, undef, undef, 0.005) } sleep 60;`;
const inMemory = `my $name = "x"; my $fd = syscall(${memfd}, $name, 0); open(my $file, "+<&=", $fd)`;
/** One child after the other, each busy for 0.2 s, none waited for. */
const burns = `$SIG{CHLD} = "IGNORE"; use Time::HiRes "time";
  for (;;) { my $end = time + 0.2; if (fork == 0) { 1 while time < $end; exit } select(undef, undef, undef, $end - time) while time < $end }`;

const modes: [string, () => InstanceCgroups | string, boolean][] = [
  ["control groups", () => cgroups, typeof cgroups !== "string"],
  ["/proc", () => "there are none", true],
];
for (const [mode, open, usable] of modes) {
  (usable ? describe : describe.skip)(`limits by ${mode}`, () => {
    beforeEach(() => {
      driver = new ProcessDriver({ log, cgroups: open, watch: { everyMs: 200 } });
    });

    test("a file in memory counts as memory", async () => {
      const over = await overOf(await perl(fills(300, inMemory), { memoryMiB: 100 }));
      expect(over).toEqual({ limit: "memoryMiB", used: expect.any(Number), max: 100 });
      expect(over?.used).toBeGreaterThan(100);
    });

    test("children count when their parent ignores that they end", async () => {
      const began = Date.now();
      const over = await overOf(await perl(burns, { cpuSeconds: 1 }));
      expect(over).toEqual({ limit: "cpuSeconds", used: 2, max: 1 });
      // A whole processor, or as much as a busy machine leaves of one: never before its time.
      expect(Date.now() - began).toBeGreaterThan(700);
    });

    test("a process that has left its parent and its session counts, and ends with the server", async () => {
      const script = `fork or exec "setsid", "sh", "-c", "(sleep ${nap} & sleep ${nap} & sleep ${nap}) & sleep 1"; sleep 60`;
      const over = await overOf(await perl(script, { processes: 3 }));
      expect(over).toEqual({ limit: "processes", used: expect.any(Number), max: 3 });
      await driver.close();
      await until(() => naps() === 0);
    });

    (has("bubblewrap (and a kernel that lets it)") ? test : test.skip)(
      "what a sandbox keeps in memory counts as memory",
      async () => {
        const script = fills(60, 'open(my $file, ">", "/dev/shm/big")');
        const over = await overOf(await perl(script, { memoryMiB: 50 }, { sandbox: {} }));
        expect(over).toEqual({ limit: "memoryMiB", used: expect.any(Number), max: 50 });
      },
    );

    test("a server within its limits is left alone, and leaves no control group", async () => {
      const child = await perl("print 1; <STDIN>", { memoryMiB: 200, processes: 4, cpuSeconds: 60 });
      await new Promise((resolve) => setTimeout(resolve, 500));
      await child.stop();
      expect(await child.ended).toEqual({ code: 0, signal: null, stderr: "" });
      if (typeof cgroups !== "string") expect(cgroups.left()).toEqual([]);
    });

    test("the log says once how limits are held, and what they do not see", async () => {
      for (const _time of [1, 2]) await (await perl("<STDIN>", { memoryMiB: 200 })).stop();
      const said = lines.filter(({ msg }) => String(msg).startsWith("limits are"));
      expect(said).toHaveLength(1);
      expect(said[0]).toMatchObject(
        mode === "/proc" ? { level: 40, why: "there are none", uncovered: expect.any(Array) } : { level: 30 },
      );
    });
  });
}

describe("without control groups", () => {
  beforeEach(() => {
    driver = new ProcessDriver({ log });
  });

  test.each<[string, string]>([
    ["is stopped", "cat"],
    ["ends by itself", "sleep 0.3"],
  ])("a detached grandchild does not outlive a server that %s", async (_how, then) => {
    const child = await start("/bin/sh", ["-c", `setsid sh -c 'sleep ${nap} & sleep ${nap}' & ${then}`], undefined);
    await until(() => naps() === 2);
    await child.stop();
    expect(naps()).toBe(0);
  });

  test("one that has also cleared its environment goes while its parent is there", async () => {
    const child = await start("/bin/sh", ["-c", `env -i setsid sleep ${nap} & cat`], undefined);
    await until(() => naps() === 1);
    await child.stop();
    expect(naps()).toBe(0);
  });

  test("a temporary folder over limits.diskMiB ends its server", async () => {
    const command = "head -c 50000000 /dev/zero > $TMPDIR/big; sleep 60";
    const child = await start("/bin/sh", ["-c", command], { diskMiB: 10 });
    expect(await overOf(child)).toEqual({ limit: "diskMiB", used: expect.any(Number), max: 10 });
  });
});
