import type { LegacySse } from "./listeners/legacy-sse.ts";
import type { Subscriptions } from "./listeners/subscriptions.ts";
import { HeapTrimmer } from "./observability/heap-trimmer.ts";
import type { SessionTable } from "./protocol/session-table.ts";

/** What the gateway looks after all the time. */
export interface PulseOptions {
  readonly sessions: SessionTable;
  readonly subscriptions: Subscriptions;
  readonly sse: LegacySse;
  /** Sessions with a short one are swept more often. */
  readonly idleTimeoutMs: number;
}

const pulseMs = 15_000;

/** Sweeps sessions, keeps streams alive and gives memory back, until the function that is returned is called. */
export function startPulse({ sessions, subscriptions, sse, idleTimeoutMs }: PulseOptions): () => void {
  const trimmer = new HeapTrimmer();
  const purging = setInterval(() => sessions.purge(), Math.min(pulseMs, idleTimeoutMs / 3)).unref();
  const pulse = setInterval(() => {
    trimmer.tend();
    subscriptions.keepAlive();
    sse.keepAlive();
    for (const session of sessions.sessions()) for (const stream of session.streams) stream.keepAlive();
  }, pulseMs).unref();
  return () => {
    clearInterval(purging);
    clearInterval(pulse);
  };
}
