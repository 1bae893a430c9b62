import { parseArgs } from "node:util";
import { BenchSession } from "../../runtime/bench/bench-session.ts";
import { measure, type Target, usageOf } from "../../runtime/bench/index.ts";
import { Contestants } from "./contestants.ts";
import { writeFigures } from "./figures-file.ts";

// `npm run bench:sessions`: the gateway's memory per session with an open connection, for sessions without one, and after load.
const { values } = parseArgs({
  options: {
    open: { type: "string", default: "1000" },
    idle: { type: "string", default: "10000" },
    rest: { type: "string", default: "4" },
    flag: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
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
const [before, after] = call.params.split("{text}") as [string, string];
const atOnce = 50;

async function open(target: Target, count: number, each: (session: BenchSession) => Promise<void>): Promise<void> {
  let left = count;
  const opener = async () => {
    while (left > 0) {
      left -= 1;
      const session = new BenchSession(target, 30_000);
      await session.open();
      const wrong = await session.call(call, before, after, "bench-sessions");
      if (wrong !== undefined) throw new Error(wrong);
      await each(session);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, opener));
}

const rest = () => new Promise((resolve) => setTimeout(resolve, 1000 * Number(values.rest)));
const contestants = new Contestants();
try {
  await contestants.upstream();
  const target = await contestants.full(values.flag);
  const rssKb = () => usageOf(target.pids).rssKb;
  // What code and connections need once is not a session's.
  await open(target, 200, (session) => session.close());
  await measure({ target, call, sessions: 32, durationMs: 3000, warmMs: 0 });
  await rest();
  const startKb = rssKb();
  const sessions: BenchSession[] = [];
  await open(target, Number(values.open), async (session) => void sessions.push(session));
  await rest();
  const withOpenKb = rssKb();
  const kbPerOpenSession = (withOpenKb - startKb) / sessions.length;
  for (const session of sessions) session.abandon();
  await rest();
  const closedKb = rssKb();
  await open(target, Number(values.idle), async (session) => session.abandon());
  await rest();
  const withIdleKb = rssKb();
  const kbPerIdleSession = (withIdleKb - closedKb) / Number(values.idle);
  const { errors } = await measure({ target, call, sessions: 1000, durationMs: 5000, warmMs: 1000 });
  const errorsAt1000Active = Object.values(errors).reduce((sum, count) => sum + count, 0);
  await rest();
  const afterLoadKb = rssKb();
  const figures: SessionsFigures = {
    ...{ startKb, withOpenKb, kbPerOpenSession, closedKb, withIdleKb, kbPerIdleSession },
    ...{ errorsAt1000Active, afterLoadKb, afterOverBefore: afterLoadKb / startKb },
  };
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  writeFigures(values.json, figures);
} finally {
  await contestants.stop();
}
