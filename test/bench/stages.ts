import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { benchTable, type CallSpec, errorCount, median, runSuite, type Target } from "../../runtime/bench/index.ts";
import { Contestants } from "./contestants.ts";
import { writeFigures } from "./figures-file.ts";
import { Referee } from "./referee.ts";

// `npm run bench:stages`: what a call costs that is proxied, answered from the cache, coalesced, or goes to a process on
// standard streams (there with the process itself), in one interleaved run. `--referee` measures with what is in `referee/`.
// `--against ../older` measures another checkout with installed modules beside this one: twice, which shows by how much two runs
// of the same code differ. It wants many short rounds; `--skip` leaves out the first ones, in which code is still being compiled.
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    sessions: { type: "string", default: "32" },
    seconds: { type: "string", default: "3" },
    only: { type: "string" },
    json: { type: "string" },
    against: { type: "string" },
    skip: { type: "string", default: "0" },
    referee: { type: "boolean", default: false },
  },
});
const distinct: CallSpec = { params: '{"name":"echo","arguments":{"text":"{text}"}}', echoes: true };
// `_meta` is no part of what makes calls the same.
const same: CallSpec = {
  params:
    '{"name":"echo","arguments":{"text":"the same text from everybody, as long as the other ones"},"_meta":{"t":"{text}"}}',
  echoes: false,
};
const calls: Record<string, CallSpec> = { cached: same, coalesced: same };
const echo = { command: process.execPath, args: [join(import.meta.dirname, "echo-stdio.mjs")] };

const referee = values.referee ? await Referee.build() : undefined;
const settings: Record<string, Record<string, unknown>> = {
  proxied: {},
  cached: { cache: { tools: { echo: 3_600_000 } } },
  coalesced: { coalescing: { tools: ["echo"] } },
  stdio: { process: echo, scaling: { maxInstances: 1 } },
};
const started: Contestants[] = [];
const targets: Target[] = [];
/** Starts the gateways of one checkout; `mark` tells its targets from those of others. */
async function field(of: typeof Contestants, mark: string): Promise<void> {
  const contestants = new of();
  started.push(contestants);
  await contestants.upstream(referee?.upstream);
  for (const name of values.only?.split(",") ?? Object.keys(settings)) {
    const target = await contestants.variant(name, settings[name] ?? {});
    targets.push({ ...target, name: `${name}${mark}` });
  }
}
const stageOf = (name: string) => name.split(" ")[0] as string;
const costs = new Map<string, number[]>();
try {
  await field(Contestants, "");
  if (values.against !== undefined) {
    const older = (await import(resolve(values.against, "test/bench/contestants.ts"))).Contestants;
    await field(older, " (older)");
    await field(older, " (older, again)");
  }
  const medians = await runSuite({
    targets,
    call: ({ name }) => calls[stageOf(name)] ?? distinct,
    sessions: values.sessions.split(",").map(Number),
    rounds: Number(values.rounds),
    durationMs: 1000 * Number(values.seconds),
    warmMs: 1000,
    measure: referee?.measure,
    onMeasured: (one, round) => {
      if (round >= Number(values.skip))
        costs.set(one.target, [...(costs.get(one.target) ?? []), one.cpuUsPerCall ?? 0]);
      const figures = `${one.cpuUsPerCall?.toFixed(1)} µs, ${one.callsPerSecond.toFixed(0)}/s`;
      process.stderr.write(
        `round ${round + 1}: ${one.target} × ${one.sessions}: ${figures}, ${errorCount(one)} errors\n`,
      );
    },
  });
  process.stdout.write(`${benchTable(medians, targets[0]?.name ?? "proxied")}\n`);
  writeFigures(values.json, medians);
  for (const [name, figures] of costs) {
    const stage = stageOf(name);
    const older = costs.get(`${stage} (older)`);
    if (older === undefined || older === figures) continue;
    const ratio = median(figures.map((figure, at) => figure / (older[at] as number)));
    process.stdout.write(`${name} over ${stage} (older): ${ratio.toFixed(3)}, the median of ${figures.length} pairs\n`);
  }
  for (const { name, url } of targets) {
    const text = await (await fetch(new URL("/metrics", url))).text();
    const counted = text
      .split("\n")
      .filter((line) => /^mcp_(cache_requests_total.*(hit|miss)|coalesced_total)/.test(line));
    process.stdout.write(`${name}: ${counted.join(", ")}\n`);
  }
  if (medians.some((one) => errorCount(one) > 0)) process.exitCode = 1;
} finally {
  for (const contestants of started) await contestants.stop();
}
