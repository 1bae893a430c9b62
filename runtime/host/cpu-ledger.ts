import type { ProcessTimes } from "./process-tree.ts";

interface Seen extends ProcessTimes {
  readonly key: string;
  /** What it stands for if it is not seen again, in seconds. */
  readonly worth: number;
}

/** Times are given in hundredths of a second, each rounded by itself. */
const tick = 0.01;
const rounding = 2 * tick;

/**
 * CPU time of an instance over its whole life, from looks at its living processes. The kernel adds a process's time to its
 * parent's when that waits for it, and drops it otherwise; what was seen before is then kept here. A process that was seen
 * once stands for all that came and went like it since the look before, at its share of a processor.
 */
export class CpuLedger {
  #seen = new Map<string, Seen>();
  #byPid = new Map<number, Seen>();
  #lost = 0;
  #at: number | undefined;

  /** The processes that were there at the last look, by pid with their start. */
  get known(): ReadonlyMap<number, string> {
    return new Map([...this.#byPid.values()].map(({ pid, startedAt }) => [pid, startedAt]));
  }

  /** Takes a look, `uptime` seconds after the machine was started. Returns all seconds so far, as far as they can be known. */
  add(members: readonly ProcessTimes[], uptime: number): number {
    const now = new Map(members.map((one) => [keyOf(one), this.#look(one, uptime)]));
    const owed = new Map<string | undefined, { seconds: number; worth: number }>();
    for (const gone of this.#seen.values()) {
      if (now.has(gone.key)) continue;
      const heir = this.#heirOf(gone, now);
      const sum = owed.get(heir) ?? { seconds: 0, worth: 0 };
      owed.set(heir, { seconds: sum.seconds + timeOf(gone), worth: sum.worth + gone.worth });
    }
    for (const [heir, { seconds, worth }] of owed) {
      const [before, after] = heir === undefined ? [undefined, undefined] : [this.#seen.get(heir), now.get(heir)];
      const credited = before === undefined || after === undefined ? 0 : after.children - before.children;
      const missing = seconds - credited - (credited > 0 ? rounding : 0);
      if (missing > 0) this.#lost += worth * (missing / seconds);
    }
    this.#at = uptime;
    this.#seen = now;
    this.#byPid = new Map([...now.values()].map((one) => [one.pid, one]));
    let living = 0;
    for (const one of now.values()) living += timeOf(one);
    return living + this.#lost;
  }

  #look(one: ProcessTimes, uptime: number): Seen {
    const key = keyOf(one);
    const seconds = timeOf(one);
    const age = Math.max(tick, uptime - Number(one.startedAt) * tick);
    const since = this.#at === undefined ? 0 : uptime - this.#at;
    const fresh = !this.#seen.has(key) && age < since;
    return { ...one, key, worth: fresh ? (seconds / age) * since : seconds };
  }

  /** The nearest ancestor that still lives: it has the time if every one between has waited. */
  #heirOf(gone: Seen, now: ReadonlyMap<string, Seen>): string | undefined {
    let at = this.#byPid.get(gone.parent);
    for (let depth = 0; at !== undefined && depth < this.#seen.size; depth += 1) {
      if (now.has(at.key)) return at.key;
      at = this.#byPid.get(at.parent);
    }
    return undefined;
  }
}

const timeOf = ({ own, children }: ProcessTimes): number => own + children;
const keyOf = ({ pid, startedAt }: ProcessTimes): string => `${pid}:${startedAt}`;
