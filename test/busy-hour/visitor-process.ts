import { randomOf } from "../support/random.ts";
import { callerCount, type Place, tokenOf } from "./fleet.ts";
import { type Leaving, Visit } from "./visit.ts";

/** What the process is started with, as JSON. */
export interface VisitorOptions {
  readonly url: string;
  readonly places: readonly Place[];
  /** Visitors at once. */
  readonly visitors: number;
  readonly blockSeconds: number;
  readonly pauseMs: number;
  readonly leavesParked: boolean;
  readonly leaseIdleMs: number;
  readonly seed: number;
  /** Whether they may block a server that all share. */
  readonly blocksAll: boolean;
}

/** What its visitors have met, in answer to `end`. */
export interface Met {
  readonly leavings: Record<Leaving, number>;
  /** Calls by kind: how many, and the longest in milliseconds. */
  readonly calls: Record<string, { count: number; worstMs: number }>;
  readonly problems: readonly string[];
}

const options = JSON.parse(process.argv[2] as string) as VisitorOptions;
const { places, visitors } = options;
const leavings: Record<Leaving, number> = { ended: 0, left: 0, dropped: 0 };
const calls: Met["calls"] = {};
const problems: string[] = [];
const note = (problem: string) => {
  if (problems.length < 20) problems.push(problem);
};

const random = randomOf(options.seed);

/** Servers at which one of these visitors has an instance of its own. */
const taken = new Set<string>();
let blocking = false;
let over = false;

/** Some servers that are not taken: one, or up to three at one address. */
function choose(): Place[] {
  const wanted = random() < 0.5 ? 1 : 3;
  const free = places.filter(({ name }) => !taken.has(name));
  return Array.from({ length: wanted }, () => free.splice(Math.floor(random() * free.length), 1)[0] as Place);
}

async function visitor(): Promise<void> {
  while (!over) {
    const chosen = choose();
    const mine = chosen.filter(({ leased }) => leased).map(({ name }) => name);
    for (const name of mine) taken.add(name);
    let blocks = false;
    const mayBlock = (place: Place) => {
      if (place.leased) return true;
      if (!options.blocksAll || (blocking && !blocks)) return false;
      blocking = true;
      blocks = true;
      return true;
    };
    const took = (kind: string, ms: number) => {
      const { count, worstMs } = calls[kind] ?? { count: 0, worstMs: 0 };
      calls[kind] = { count: count + 1, worstMs: Math.round(Math.max(worstMs, ms)) };
    };
    const token = tokenOf(Math.floor(random() * callerCount));
    const visit = new Visit({ ...options, token, places: chosen, random, mayBlock, note, took });
    try {
      leavings[await visit.run()] += 1;
    } catch (error) {
      note(`at ${chosen.map(({ name }) => name).join(", ")}: ${String(error)}`);
    }
    for (const name of mine) taken.delete(name);
    if (blocks) blocking = false;
  }
}

const all = Array.from({ length: visitors }, visitor);
process.on("message", async () => {
  over = true;
  await Promise.all(all);
  process.send?.({ leavings, calls, problems } satisfies Met);
});
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: true });
