import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { type CallSpec, type Measurement, measure as ownMeasure, type Target } from "../../runtime/bench/index.ts";
import { Contestants } from "./contestants.ts";
import { writeFigures } from "./figures-file.ts";
import { Referee } from "./referee.ts";

// `npm run bench:latency`: what the full stack adds to a call's time where nothing else is under way (one session),
// and at 70 % of the calls per second that it can do with 32 sessions, beside the server alone at the same rate. The gateway has the
// first core, server and load generator the second: what they do to each other's time is not the gateway's. `--referee` measures with what is
// in `referee/`, `--flag` gives Node.js flags to the gateway.
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    flag: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    referee: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const call: CallSpec = { params: '{"name":"echo","arguments":{"text":"{text}"}}', echoes: true };
const busySessions = 32;
const share = 0.7;

const gatewayCore = 0;
const otherCore = 1;
const pin = (core: number, pids: readonly number[]) => {
  for (const pid of pids) execFileSync("taskset", ["-acp", String(core), String(pid)]);
};

const referee = values.referee ? await Referee.build(otherCore) : undefined;
const measure = referee?.measure ?? ownMeasure;
const contestants = new Contestants();
try {
  const direct = await contestants.upstream(referee?.upstream);
  const full = await contestants.full(values.flag);
  pin(otherCore, [process.pid, ...direct.pids]);
  pin(gatewayCore, full.pids);
  const one = (target: Target, sessions: number, rate?: number) =>
    measure({ target, call, sessions, rate, durationMs: 4000, warmMs: 1000 });
  const alone: Record<string, Measurement[]> = { direct: [], full: [] };
  const busy: Record<string, Measurement[]> = { direct: [], full: [] };
  for (let round = 0; round < rounds; round += 1) {
    const targets = round % 2 === 0 ? [direct, full] : [full, direct];
    for (const target of targets) alone[target.name]?.push(await one(target, 1));
    const rate = Math.round(share * (await one(full, busySessions)).callsPerSecond);
    for (const target of targets) busy[target.name]?.push(await one(target, busySessions, rate));
  }
  const all = [...Object.values(alone), ...Object.values(busy)].flat();
  const errors = all.flatMap((measured) => Object.entries(measured.errors));
  const ms = (measured: readonly Measurement[] | undefined, key: "p50Ms" | "p99Ms") => median(measured, key);
  const rows = [alone, busy].map((measured, at) => ({
    load: at === 0 ? "1 session" : `${share * 100} % of saturation, ${median(busy.full, "callsPerSecond")} calls/s`,
    direct: { p50Ms: ms(measured.direct, "p50Ms"), p99Ms: ms(measured.direct, "p99Ms") },
    full: { p50Ms: ms(measured.full, "p50Ms"), p99Ms: ms(measured.full, "p99Ms") },
    addedMs: {
      p50: round3(ms(measured.full, "p50Ms") - ms(measured.direct, "p50Ms")),
      p99: round3(ms(measured.full, "p99Ms") - ms(measured.direct, "p99Ms")),
    },
    p99OfDirect: round3(ms(measured.full, "p99Ms") / ms(measured.direct, "p99Ms")),
  }));
  console.log(JSON.stringify({ rounds, errors, rows }, null, 1));
  writeFigures(values.json, { rounds, errors, rows });
} finally {
  await contestants.stop();
}

function median(measured: readonly Measurement[] | undefined, key: "p50Ms" | "p99Ms" | "callsPerSecond"): number {
  const sorted = (measured ?? []).map((one) => one[key]).sort((a, b) => a - b);
  return round3(sorted[Math.floor(sorted.length / 2)] ?? 0);
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
