import { parseArgs } from "node:util";
import { type CallSpec, measure, type Target } from "../../runtime/bench/index.ts";
import { aims } from "./claims/aims.ts";
import { Contestants } from "./contestants.ts";
import { writeFigures } from "./figures-file.ts";

// `npm run bench:fairness`: critical calls at saturation beside low ones, through a gateway that lets a few go at a time.
const { values } = parseArgs({ options: { seconds: { type: "string", default: "5" }, json: { type: "string" } } });
const minimumPercent = aims.fairness.low.limit;

/** What is printed, and what `--json` holds. */
export interface FairnessFigures {
  /** Answers to critical and to low calls. */
  readonly critical: number;
  readonly low: number;
  readonly lowPercent: number;
  readonly minimumPercent: number;
  readonly criticalP50Ms: number;
  readonly lowP50Ms: number;
}

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
  const figures: FairnessFigures = {
    ...{ critical: critical.calls, low: low.calls, lowPercent: Number(percent.toFixed(2)), minimumPercent },
    ...{ criticalP50Ms: critical.p50Ms, lowP50Ms: low.p50Ms },
  };
  console.log(JSON.stringify(figures, null, 2));
  writeFigures(values.json, figures);
  if (percent < minimumPercent * 0.95) process.exitCode = 1;
} finally {
  await contestants.stop();
}
