import { parseArgs } from "node:util";
import { type CallSpec, measure, type Target } from "../../runtime/bench/index.ts";
import { Contestants } from "./contestants.ts";

// `npm run bench:fairness`: critical calls at saturation beside low ones, through a gateway that lets a few go at a time.
const { values } = parseArgs({ options: { seconds: { type: "string", default: "5" } } });
const minimumPercent = 5;
const spec = (priority: string): CallSpec => ({
  params: `{"name":"echo","arguments":{"text":"{text}"},"_meta":{"mcp-fleet/priority":"${priority}"}}`,
  echoes: true,
});

const contestants = new Contestants();
try {
  await contestants.upstream();
  const queue = { concurrency: 2, ageMs: 3_600_000, minimumPercent: { low: minimumPercent } };
  const target = await contestants.variant("queue", { queue });
  const run = (name: string, priority: string, sessions: number) => {
    const named: Target = { ...target, name, pids: [] };
    const durationMs = 1000 * Number(values.seconds);
    return measure({ target: named, call: spec(priority), sessions, durationMs, warmMs: 1000 });
  };
  const [critical, low] = await Promise.all([run("critical", "critical", 64), run("low", "low", 64)]);
  const percent = (100 * low.calls) / (low.calls + critical.calls);
  const share = { critical: critical.calls, low: low.calls, lowPercent: Number(percent.toFixed(2)), minimumPercent };
  console.log(JSON.stringify({ ...share, criticalP50Ms: critical.p50Ms, lowP50Ms: low.p50Ms }, null, 2));
  if (percent < minimumPercent * 0.95) process.exitCode = 1;
} finally {
  await contestants.stop();
}
