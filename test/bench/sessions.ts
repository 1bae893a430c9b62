import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { measure as ownMeasure, usageOf } from "../../runtime/bench/index.ts";
import { Contestants } from "./contestants.ts";
import { writeFigures } from "./figures-file.ts";
import { holdSessions, openSessions } from "./held-sessions.ts";
import { Referee } from "./referee.ts";

// `npm run bench:sessions`: the gateway's memory per session with an open connection, for sessions without one, and after load.
// `--referee` holds the open ones and makes the load with what is in `referee/`.
const { values } = parseArgs({
  options: {
    open: { type: "string", default: "1000" },
    idle: { type: "string", default: "10000" },
    rest: { type: "string", default: "4" },
    flag: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    referee: { type: "boolean", default: false },
  },
});

/** What is printed, and what `--json` holds: resident memory of the gateway in KiB. */
export interface SessionsFigures {
  readonly startKb: number;
  readonly withOpenKb: number;
  readonly kbPerOpenSession: number;
  readonly closedKb: number;
  readonly withIdleKb: number;
  readonly kbPerIdleSession: number;
  readonly errorsAt1000Active: number;
  readonly afterLoadKb: number;
  readonly afterOverBefore: number;
}

const call = { params: '{"name":"echo","arguments":{"text":"{text}"}}', echoes: true };
const count = Number(values.open);
const restSeconds = Number(values.rest);
const rest = () => sleep(1000 * restSeconds);

const referee = values.referee ? await Referee.build() : undefined;
const measure = referee?.measure ?? ownMeasure;
const contestants = new Contestants();
try {
  await contestants.upstream(referee?.upstream);
  const target = await contestants.full(values.flag);
  const rssKb = () => usageOf(target.pids).rssKb;
  // What code and connections need once is not a session's.
  await openSessions(target, call, 200, (session) => session.close());
  await measure({ target, call, sessions: 32, durationMs: 3000, warmMs: 0 });
  await rest();
  const { startKb, withOpenKb, closedKb } = await (referee?.hold ?? holdSessions)(target, call, count, restSeconds);
  await openSessions(target, call, Number(values.idle), async (session) => session.abandon());
  await rest();
  const withIdleKb = rssKb();
  const { errors } = await measure({ target, call, sessions: 1000, durationMs: 5000, warmMs: 1000 });
  await rest();
  const afterLoadKb = rssKb();
  const figures: SessionsFigures = {
    ...{ startKb, withOpenKb, kbPerOpenSession: (withOpenKb - startKb) / count },
    ...{ closedKb, withIdleKb, kbPerIdleSession: (withIdleKb - closedKb) / Number(values.idle) },
    errorsAt1000Active: Object.values(errors).reduce((sum, times) => sum + times, 0),
    ...{ afterLoadKb, afterOverBefore: afterLoadKb / startKb },
  };
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  writeFigures(values.json, figures);
} finally {
  await contestants.stop();
}
