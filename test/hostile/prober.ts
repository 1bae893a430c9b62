import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { request } from "undici";

// Asks for /health of the processes that its arguments name (`<pid>=<url>`), twenty times a second, until it is asked for
// what it found. It has a process of its own, so that the callers' work does not count. A late answer of a process that
// has hardly worked meanwhile is the machine's fault, unless it is very late.
const limitMs = 250;
const everyMs = 50;
/** What a process must have worked of a late answer's time. */
const workShare = 0.5;
const veryLateMs = 5000;
/** /proc counts in hundredths of a second. */
const tickMs = 10;
let probes = 0;
let misses = 0;
let starved = 0;
let failures = 0;
let worstMs = 0;

/** Time of the processor that a process has had, in milliseconds. */
function workedMs(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return (user + system) * tickMs;
}

async function probe(pid: string, url: string): Promise<void> {
  const began = performance.now();
  const before = workedMs(pid);
  try {
    const { statusCode, body } = await request(`${url}/health`, { headersTimeout: 60_000 });
    await body.dump();
    if (statusCode !== 200) failures += 1;
  } catch {
    failures += 1;
  }
  const took = performance.now() - began;
  probes += 1;
  if (took <= limitMs) worstMs = Math.max(worstMs, took);
  else if (took < veryLateMs && workedMs(pid) - before < took * workShare) starved += 1;
  else {
    misses += 1;
    worstMs = Math.max(worstMs, took);
  }
}

let over = false;

/** One probe after the other: a gateway that is stuck is one miss, and its worst time. */
async function watch(pid: string, url: string): Promise<void> {
  while (!over) {
    await probe(pid, url);
    await pause(everyMs);
  }
}

const watching = process.argv.slice(2).map((argument) => {
  const [pid = "", url = ""] = argument.split("=", 2);
  return watch(pid, url);
});
process.on("message", async () => {
  over = true;
  await Promise.all(watching);
  process.send?.({ probes, misses, starved, failures, worstMs: Math.round(worstMs) });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: true });
