import { parseArgs } from "node:util";
import { benchTable, type CallSpec, errorCount, runSuite, type Target } from "../../runtime/bench/index.ts";
import { Contestants } from "./contestants.ts";
import { writeFigures } from "./figures-file.ts";
import { Referee } from "./referee.ts";

// `npm run bench -- --call stream` calls another tool than `echo`; the ratios are to `--base`.
// `npm run bench`: direct, nginx, the bare proxy, and the gateway minimal and in full, in one interleaved run; `--only full,workers`
// adds the full one of two workers. `--referee` measures with the echo server and the load generator of `referee/` (needs cargo).
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    sessions: { type: "string", default: "1,8,32,100" },
    seconds: { type: "string", default: "4" },
    warm: { type: "string", default: "1" },
    only: { type: "string" },
    call: { type: "string", default: "echo" },
    base: { type: "string", default: "parse" },
    json: { type: "string" },
    referee: { type: "boolean", default: false },
  },
});

const mebibyte = 1024 * 1024;
const calls: Record<string, CallSpec> = {
  echo: { params: '{"name":"echo","arguments":{"text":"{text}"}}', echoes: true },
  bytes: {
    params: `{"name":"bytes","arguments":{"text":"{text}","size":${mebibyte}}}`,
    ...{ echoes: true, minBytes: mebibyte },
  },
  stream: {
    params: '{"name":"stream","arguments":{"text":"{text}","count":1000},"_meta":{"progressToken":1}}',
    ...{ echoes: true, events: 1000 },
  },
};
const referee = values.referee ? await Referee.build() : undefined;
const contestants = new Contestants();
try {
  const nginx = async () => (await contestants.nginx()) ?? skipped("nginx", "apt-get install nginx-light");
  const direct = await contestants.upstream(referee?.upstream);
  const makers: Record<string, () => Promise<Target | undefined>> = {
    direct: async () => direct,
    nginx,
    pipe: () => contestants.proxy("pipe", "pipe-proxy.mjs"),
    parse: () => contestants.proxy("parse", "parse-proxy.mjs"),
    minimal: () => contestants.minimal(),
    full: () => contestants.full(),
    workers: () => contestants.workers(),
  };
  const names = values.only?.split(",") ?? ["direct", "nginx", "parse", "minimal", "full"];
  const targets: Target[] = [];
  for (const name of names) {
    const target = await makers[name]?.();
    if (target !== undefined) targets.push(target);
  }
  const call = calls[values.call];
  if (call === undefined) throw new Error(`--call: "${values.call}" is none of ${Object.keys(calls).join(", ")}`);
  const medians = await runSuite({
    targets,
    call: () => call,
    sessions: values.sessions.split(",").map(Number),
    rounds: Number(values.rounds),
    durationMs: 1000 * Number(values.seconds),
    warmMs: 1000 * Number(values.warm),
    measure: referee?.measure,
    onMeasured: (one, round) => {
      const cpu = one.cpuUsPerCall?.toFixed(1);
      process.stderr.write(
        `round ${round + 1}: ${one.target} × ${one.sessions}: ${cpu} µs, ${errorCount(one)} errors\n`,
      );
      if (errorCount(one) > 0) process.stderr.write(`  ${JSON.stringify(one.errors)}\n`);
    },
  });
  process.stdout.write(`${benchTable(medians, values.base)}\n`);
  writeFigures(values.json, medians);
  if (medians.some((one) => errorCount(one) > 0)) process.exitCode = 1;
} finally {
  await contestants.stop();
}

function skipped(name: string, fix: string): undefined {
  process.stderr.write(`${name}: skipped, it is not installed (${fix})\n`);
}
