import { once } from "node:events";
import { extname } from "node:path";
import { createHistogram, performance } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import { FleetError } from "../errors.ts";
import { type LoadPlan, type LoadResult, Phase } from "./load.ts";
import { usageOf } from "./process-tree.ts";
import type { CallSpec, Target } from "./target.ts";

/** One measurement of one target. */
export interface MeasureOptions {
  readonly target: Target;
  readonly call: CallSpec;
  /** Sessions with a connection each, all calling without a pause or at `rate`. */
  readonly sessions: number;
  readonly durationMs: number;
  readonly warmMs: number;
  /** Calls per second of all sessions together. Defaults to as many as are answered. */
  readonly rate?: number | undefined;
  /** Threads of the load generator. Defaults to 1. */
  readonly threads?: number;
  /** A call that takes longer has failed. Defaults to 30 s. */
  readonly timeoutMs?: number;
}

/** What was measured. */
export interface Measurement {
  readonly target: string;
  readonly sessions: number;
  readonly calls: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Undefined when no process is known. */
  readonly cpuUsPerCall?: number;
  /** Memory at the end of the measurement. */
  readonly rssMb?: number;
}

/** Opens the sessions in threads of their own, warms up, and measures. Rejects with GATEWAY_UNREACHABLE. */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { target, call, sessions, durationMs, warmMs, rate, threads = 1, timeoutMs = 30_000 } = options;
  const phase = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const count = Math.min(threads, sessions);
  const workers = Array.from({ length: count }, (_, index) => {
    const share = Math.floor(sessions / count) + Number(index < sessions % count);
    const label = `bench-${process.pid}-${index}`;
    const own = rate === undefined ? undefined : (rate * share) / sessions;
    return startThread({ target, call, label, sessions: share, rate: own, timeoutMs, phase });
  });
  try {
    await Promise.all(workers.map((worker) => told(worker, "opened")));
    const results = workers.map((worker) => told(worker, "result") as Promise<LoadResult>);
    Atomics.store(phase, 0, Phase.Warming);
    await sleep(warmMs);
    const before = usageOf(target.pids);
    const began = performance.now();
    Atomics.store(phase, 0, Phase.Measuring);
    await sleep(durationMs);
    Atomics.store(phase, 0, Phase.Ended);
    const ms = performance.now() - began;
    const after = usageOf(target.pids);
    return measured(options, await Promise.all(results), ms, after.cpuUs - before.cpuUs, after.rssKb);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function measured(
  { target, sessions }: MeasureOptions,
  results: readonly LoadResult[],
  ms: number,
  cpuUs: number,
  rssKb: number,
): Measurement {
  const latencies = createHistogram({ figures: 3 });
  const errors: Record<string, number> = {};
  let calls = 0;
  for (const result of results) {
    calls += result.calls;
    latencies.add(result.latencies);
    for (const [text, times] of Object.entries(result.errors)) errors[text] = (errors[text] ?? 0) + times;
  }
  const at = (percent: number) => (calls === 0 ? 0 : latencies.percentile(percent) / 1000);
  const usage = target.pids.length === 0 ? {} : { cpuUsPerCall: cpuUs / Math.max(calls, 1), rssMb: rssKb / 1024 };
  return {
    target: target.name,
    ...{ sessions, calls, errors, callsPerSecond: (calls * 1000) / ms },
    ...{ p50Ms: at(50), p95Ms: at(95), p99Ms: at(99), maxMs: calls === 0 ? 0 : latencies.max / 1000 },
    ...usage,
  };
}

function startThread(workerData: LoadPlan): Worker {
  return new Worker(new URL(`./load-thread${extname(import.meta.filename)}`, import.meta.url), { workerData });
}

/** The next message of a thread that has this key. */
async function told(worker: Worker, key: "opened" | "result"): Promise<unknown> {
  const [message] = (await once(worker, "message")) as [{ failed?: string; opened?: true; result?: LoadResult }];
  if (message.failed !== undefined) throw new FleetError("GATEWAY_UNREACHABLE", message.failed);
  return message[key];
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
