import { setTimeout as sleep } from "node:timers/promises";
import { BenchSession } from "../../runtime/bench/bench-session.ts";
import { type CallSpec, type Target, usageOf } from "../../runtime/bench/index.ts";

/** Resident memory of a target in KiB: before it had sessions with an open connection each, with them, and after their end. */
export interface HeldSessions {
  readonly startKb: number;
  readonly withOpenKb: number;
  readonly closedKb: number;
}

const atOnce = 50;

/** Opens sessions, calls once in each, and hands it over. Rejects with the first wrong answer. */
export async function openSessions(
  target: Target,
  call: CallSpec,
  count: number,
  each: (session: BenchSession) => Promise<void>,
): Promise<void> {
  const [before, after] = call.params.split("{text}") as [string, string];
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

/** Holds so many sessions open for a rest, after which their connections are cut. */
export async function holdSessions(
  target: Target,
  call: CallSpec,
  count: number,
  restSeconds: number,
): Promise<HeldSessions> {
  const rssKb = () => usageOf(target.pids).rssKb;
  const startKb = rssKb();
  const sessions: BenchSession[] = [];
  await openSessions(target, call, count, async (session) => void sessions.push(session));
  await sleep(1000 * restSeconds);
  const withOpenKb = rssKb();
  for (const session of sessions) session.abandon();
  await sleep(1000 * restSeconds);
  return { startKb, withOpenKb, closedKb: rssKb() };
}
