import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { request } from "undici";

// Asks for /health of the processes that its arguments name (`<pid>=<url>`), twenty times a second, until it is asked for
// what it found. It has a process of its own, so that the callers' work does not count. Time in which a process was ready to
// run and others had the processor is the machine's, not the process's: Linux counts it for each thread (schedstat, "run delay").
const limitMs = 250;
const everyMs = 50;
let probes = 0;
let misses = 0;
let starved = 0;
let failures = 0;
let worstMs = 0;

/** How long each thread of a process has waited for a processor, in milliseconds. */
function waitedMs(pid: string): ReadonlyMap<string, number> {
  const threads = readdirSync(`/proc/${pid}/task`);
  return new Map(
    threads.map((thread) => {
      const [, delayNs] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      return [thread, Number(delayNs) / 1e6];
    }),
  );
}

/** For how long a process could not go on: its main thread waited, or waited for another one that did, which a garbage collection has it do. */
function heldUpMs(pid: string, before: ReadonlyMap<string, number>): number {
  const waited = [...waitedMs(pid)].map(([thread, ms]) => ({
    main: thread === pid,
    ms: ms - (before.get(thread) ?? ms),
  }));
  const longest = (main: boolean) => Math.max(0, ...waited.filter((one) => one.main === main).map(({ ms }) => ms));
  return longest(true) + longest(false);
}

async function probe(pid: string, url: string): Promise<void> {
  const began = performance.now();
  const pids = [pid, String(process.pid)];
  const before = pids.map(waitedMs);
  try {
    const { statusCode, body } = await request(`${url}/health`, { headersTimeout: 60_000 });
    await body.dump();
    if (statusCode !== 200) failures += 1;
  } catch {
    failures += 1;
  }
  const took = performance.now() - began;
  const ownMs = took - pids.reduce((sum, one, at) => sum + heldUpMs(one, before[at] as ReadonlyMap<string, number>), 0);
  probes += 1;
  worstMs = Math.max(worstMs, ownMs);
  if (ownMs > limitMs) misses += 1;
  else if (took > limitMs) starved += 1;
}

const underWay = new Set<Promise<void>>();
let over = false;
/** A forced garbage collection stops the process that is probed for as long as it takes. */
let held = false;

/** One probe after the other: a gateway that is stuck is one miss, and its worst time. */
async function watch(pid: string, url: string): Promise<void> {
  while (!over) {
    if (!held) {
      const probing = probe(pid, url);
      underWay.add(probing);
      await probing;
      underWay.delete(probing);
    }
    await pause(everyMs);
  }
}

const watching = process.argv.slice(2).map((argument) => {
  const [pid = "", url = ""] = argument.split("=", 2);
  return watch(pid, url);
});
process.on("message", async (asked: { hold?: boolean }) => {
  if (asked.hold !== undefined) {
    held = asked.hold;
    // What is under way would be late, too.
    await Promise.all([...underWay]);
    process.send?.({ held });
    return;
  }
  over = true;
  await Promise.all(watching);
  process.send?.({ probes, misses, starved, failures, worstMs: Math.round(worstMs) });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: true });
