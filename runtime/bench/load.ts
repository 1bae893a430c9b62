import { createHistogram, performance, type RecordableHistogram } from "node:perf_hooks";
import { BenchSession } from "./bench-session.ts";
import type { CallSpec, Target } from "./target.ts";

/** What one thread of the load generator does. */
export interface LoadPlan {
  readonly target: Target;
  readonly call: CallSpec;
  /** Distinguishes the texts of this thread. */
  readonly label: string;
  readonly sessions: number;
  /** Calls per second of all sessions of this thread together. Defaults to as many as are answered. */
  readonly rate?: number | undefined;
  readonly timeoutMs: number;
  /** One cell of shared memory with the phase that all threads are in. */
  readonly phase: Int32Array;
}

/** Phases of a measurement; the controller writes them. */
export const Phase = { Opening: 0, Warming: 1, Measuring: 2, Ended: 3 } as const;

/** What one thread saw while measuring. */
export interface LoadResult {
  readonly calls: number;
  /** Microseconds. */
  readonly latencies: RecordableHistogram;
  /** Wrong answers by what was wrong. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Sessions that are opened at a time. */
const openingAtOnce = 50;
const pollMs = 2;

/** Runs the sessions of one thread until the controller says that the measurement has ended. */
export class Load {
  readonly #plan: LoadPlan;
  readonly #sessions: BenchSession[];
  readonly #latencies = createHistogram({ figures: 3 });
  readonly #errors: Record<string, number> = {};
  #calls = 0;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#sessions = Array.from({ length: plan.sessions }, () => new BenchSession(plan.target, plan.timeoutMs));
  }

  /** Opens all sessions; rejects with the first failure. */
  async open(): Promise<void> {
    let next = 0;
    const opener = async () => {
      for (let session = this.#sessions[next++]; session !== undefined; session = this.#sessions[next++]) {
        await session.open();
      }
    };
    await Promise.all(Array.from({ length: openingAtOnce }, opener));
  }

  async run(): Promise<LoadResult> {
    while (this.#phase < Phase.Warming) await sleep(pollMs);
    await Promise.all(this.#sessions.map((session, index) => this.#drive(session, index)));
    await Promise.all(this.#sessions.map((session) => session.close()));
    return { calls: this.#calls, latencies: this.#latencies, errors: this.#errors };
  }

  get #phase(): number {
    return Atomics.load(this.#plan.phase, 0);
  }

  async #drive(session: BenchSession, index: number): Promise<void> {
    const { call, label, rate, sessions } = this.#plan;
    const [before, after] = call.params.split("{text}") as [string, string];
    const own = `${label}-${index}`;
    const everyMs = rate === undefined ? 0 : (1000 * sessions) / rate;
    let slot = performance.now() + (everyMs * index) / sessions;
    while (this.#phase < Phase.Ended) {
      let began = performance.now();
      if (everyMs > 0) {
        // A call that is late because the one before took long counts from when it was due (coordinated omission).
        if (began < slot) {
          await sleep(slot - began);
          began = performance.now();
        } else began = slot;
        slot += everyMs;
      }
      const wrong = await session.call(call, before, after, own);
      if (this.#phase !== Phase.Measuring) continue;
      if (wrong === undefined) {
        this.#calls += 1;
        this.#latencies.record(Math.max(1, Math.round((performance.now() - began) * 1000)));
      } else this.#errors[wrong] = (this.#errors[wrong] ?? 0) + 1;
    }
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
