import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { type CallSpec, measure as ownMeasure, type Target } from "../../runtime/bench/index.ts";
import { treeOf } from "../../runtime/bench/process-tree.ts";
import { Contestants } from "./contestants.ts";
import { writeFigures } from "./figures-file.ts";
import { Pair } from "./latency-pair.ts";
import { Referee } from "./referee.ts";

// `npm run bench:latency`: what the full stack adds to a call's time where nothing else is under way (one session),
// and at 70 % of the calls per second that it can do with 32 sessions, beside the server alone at the same rate. The gateway has the
// first core, server and load generator the second: what they do to each other's time is not the gateway's. nginx, where it is installed, is loaded
// with 70 % of what it can do itself: a tail that it has too is the machine's. `--referee` measures with what is in `referee/`,
// `--flag` gives Node.js flags to the gateway.
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
/** Measured one by one: a machine that stands still for some milliseconds now and then spoils a second, not the median of all. */
const secondsARound = 4;

const gatewayCore = 0;
const otherCore = 1;
const pin = (core: number, pids: readonly number[]) => {
  for (const pid of treeOf(pids)) execFileSync("taskset", ["-acp", String(core), String(pid)]);
};

const referee = values.referee ? await Referee.build(otherCore) : undefined;
const measure = referee?.measure ?? ownMeasure;
const contestants = new Contestants();
try {
  const direct = await contestants.upstream(referee?.upstream);
  const full = await contestants.full(values.flag);
  const nginx = await contestants.nginx();
  const proxies = nginx === undefined ? [full] : [full, nginx];
  pin(otherCore, [process.pid, ...direct.pids]);
  pin(gatewayCore, [...full.pids, ...(nginx?.pids ?? [])]);
  const one = (target: Target, sessions: number, rate?: number) =>
    measure({ target, call, sessions, rate, durationMs: 1000, warmMs: 1000 });
  const alone = new Pair("full");
  const busy = proxies.map(({ name }) => new Pair(name));
  for (let round = 0; round < rounds; round += 1) {
    const turned = (proxy: Target) => (round % 2 === 0 ? [direct, proxy] : [proxy, direct]);
    for (const [index, proxy] of proxies.entries()) {
      const rate = Math.round(share * (await one(proxy, busySessions)).callsPerSecond);
      for (let second = 0; second < secondsARound; second += 1) {
        if (proxy === full) for (const target of turned(full)) alone.add(await one(target, 1));
        for (const target of turned(proxy)) busy[index]?.add(await one(target, busySessions, rate));
      }
    }
  }
  const errors = [alone, ...busy].flatMap((pair) => pair.errors);
  const rows = [
    alone.row("1 session"),
    ...busy.map((pair) => pair.row(`${share * 100} % of saturation, ${pair.callsPerSecond} calls/s`)),
  ];
  console.log(JSON.stringify({ rounds, errors, rows }, null, 1));
  writeFigures(values.json, { rounds, errors, rows });
} finally {
  await contestants.stop();
}
