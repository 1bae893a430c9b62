import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchTable, type CallSpec, errorCount, runSuite, type Target } from "../../runtime/bench/index.ts";
import { Contestants } from "./contestants.ts";
import { writeFigures } from "./figures-file.ts";
import { Referee } from "./referee.ts";

// `npm run bench:stages`: what a call costs that is proxied, answered from the cache, coalesced, or goes to a process on
// standard streams (there with the process itself), in one interleaved run. `--referee` measures with what is in `referee/`.
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    sessions: { type: "string", default: "32" },
    seconds: { type: "string", default: "3" },
    only: { type: "string" },
    json: { type: "string" },
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
const contestants = new Contestants();
try {
  await contestants.upstream(referee?.upstream);
  const makers: Record<string, () => Promise<Target>> = {
    proxied: () => contestants.variant("proxied", {}),
    cached: () => contestants.variant("cached", { cache: { tools: { echo: 3_600_000 } } }),
    coalesced: () => contestants.variant("coalesced", { coalescing: { tools: ["echo"] } }),
    stdio: () => contestants.variant("stdio", { process: echo, scaling: { maxInstances: 1 } }),
  };
  const targets: Target[] = [];
  for (const name of values.only?.split(",") ?? ["proxied", "cached", "coalesced", "stdio"]) {
    const target = await makers[name]?.();
    if (target !== undefined) targets.push(target);
  }
  const medians = await runSuite({
    targets,
    call: ({ name }) => calls[name] ?? distinct,
    sessions: values.sessions.split(",").map(Number),
    rounds: Number(values.rounds),
    durationMs: 1000 * Number(values.seconds),
    warmMs: 1000,
    measure: referee?.measure,
    onMeasured: (one, round) => {
      const figures = `${one.cpuUsPerCall?.toFixed(1)} µs, ${one.callsPerSecond.toFixed(0)}/s`;
      process.stderr.write(
        `round ${round + 1}: ${one.target} × ${one.sessions}: ${figures}, ${errorCount(one)} errors\n`,
      );
    },
  });
  process.stdout.write(`${benchTable(medians, targets[0]?.name ?? "proxied")}\n`);
  writeFigures(values.json, medians);
  for (const { name, url } of targets) {
    const text = await (await fetch(new URL("/metrics", url))).text();
    const counted = text
      .split("\n")
      .filter((line) => /^mcp_(cache_requests_total.*(hit|miss)|coalesced_total)/.test(line));
    process.stdout.write(`${name}: ${counted.join(", ")}\n`);
  }
  if (medians.some((one) => errorCount(one) > 0)) process.exitCode = 1;
} finally {
  await contestants.stop();
}
