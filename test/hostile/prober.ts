import { request } from "undici";

// Asks for /health of the gateways that its arguments name, twenty times a second, until it is asked for what it found.
// It has a process of its own, so that the callers' work does not count; when its own timers come late, the machine is
// busy and the probe says nothing.
const limitMs = 250;
const everyMs = 50;
const busyMs = 50;
let probes = 0;
let misses = 0;
let failures = 0;
let worstMs = 0;

async function probe(url: string): Promise<void> {
  const began = performance.now();
  let late = 0;
  let expected = began + everyMs;
  const watch = setInterval(() => {
    late = Math.max(late, performance.now() - expected);
    expected = performance.now() + everyMs;
  }, everyMs);
  try {
    const { statusCode, body } = await request(`${url}/health`, { headersTimeout: 60_000 });
    await body.dump();
    if (statusCode !== 200) failures += 1;
  } catch {
    failures += 1;
  }
  clearInterval(watch);
  const took = performance.now() - began;
  if (late > busyMs) return;
  probes += 1;
  worstMs = Math.max(worstMs, took);
  if (took > limitMs) misses += 1;
}

for (const url of process.argv.slice(2)) {
  let under = false;
  setInterval(async () => {
    // One after the other: a gateway that is stuck is one miss a stuck probe, and its worst time.
    if (under) return;
    under = true;
    await probe(url);
    under = false;
  }, everyMs);
}
process.on("message", () => process.send?.({ probes, misses, failures, worstMs: Math.round(worstMs) }));
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: true });
