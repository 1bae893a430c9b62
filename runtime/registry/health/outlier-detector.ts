import type { ResolvedServer } from "../../config/index.ts";
import type { Backend } from "../backend.ts";

export interface OutlierDetectorOptions {
  readonly rules: ResolvedServer["healthCheck"]["outlier"];
  readonly backends: () => readonly Backend[];
  readonly now: () => number;
}

interface Ejection {
  until: number;
  /** Ejections that followed each other closely. */
  count: number;
}

/** Fewer calls than this since the last look say nothing of an instance's speed. */
const minimumCalls = 5;
const longestEjectionMs = 300_000;
/** Speeds are compared so often. */
const compareEveryMs = 1000;

/**
 * Passive checks (Envoy, "Outlier detection"): leaves out, for a growing time, an instance whose calls fail one after the
 * other, or that answers much slower than the others; never more than a share of all instances, and never the last one.
 */
export class OutlierDetector {
  readonly #options: OutlierDetectorOptions;
  readonly #ejections = new WeakMap<Backend, Ejection>();
  #comparedAt = 0;

  constructor(options: OutlierDetectorOptions) {
    this.#options = options;
  }

  /** Ejects and takes back what is due. */
  tick(): void {
    const { rules, backends, now } = this.#options;
    const all = backends();
    for (const backend of all) {
      const until = this.#ejections.get(backend)?.until ?? 0;
      if (backend.ejected && now() >= until) backend.eject(undefined);
      if (backend.failuresInARow >= rules.consecutiveErrors) {
        this.#eject(backend, all, `${backend.failuresInARow} calls in a row failed`);
      }
    }
    if (now() - this.#comparedAt < compareEveryMs) return;
    this.#comparedAt = now();
    this.#compare(all);
    for (const backend of all) backend.recentCalls = 0;
  }

  /** Ejects an instance for a reason that somebody else has found, within the same bounds. */
  eject(backend: Backend, reason: string): void {
    this.#eject(backend, this.#options.backends(), reason);
  }

  #compare(all: readonly Backend[]): void {
    const { latencyFactor, latencyFloorMs } = this.#options.rules;
    const measured = all.filter(({ ready, healthy, recentCalls }) => ready && healthy && recentCalls >= minimumCalls);
    for (const backend of measured) {
      const others = measured.filter((other) => other !== backend).map(({ latencyMs }) => latencyMs as number);
      if (others.length === 0) return;
      const usual = median(others);
      const ms = backend.latencyMs as number;
      if (ms <= latencyFloorMs || ms <= latencyFactor * usual) continue;
      this.#eject(backend, all, `it answers in ${Math.round(ms)} ms, the others in ${Math.round(usual)} ms`);
    }
  }

  #eject(backend: Backend, all: readonly Backend[], reason: string): void {
    const { maxEjectedPercent, ejectionMs } = this.#options.rules;
    if (backend.ejected) return;
    const usable = all.filter((other) => other !== backend && other.ready && other.healthy && !other.draining);
    // One may always go, or the rule would mean nothing to small fleets.
    const most = Math.max(1, Math.floor((all.length * maxEjectedPercent) / 100));
    const ejected = all.filter((other) => other.ejected).length;
    if (maxEjectedPercent === 0 || usable.length === 0 || ejected >= most) return;
    const { now } = this.#options;
    const before = this.#ejections.get(backend);
    // Who has behaved for as long as it was out begins anew.
    const again = before !== undefined && now() - before.until < before.count * ejectionMs;
    const count = again ? before.count + 1 : 1;
    this.#ejections.set(backend, { until: now() + Math.min(count * ejectionMs, longestEjectionMs), count });
    backend.eject(reason);
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
