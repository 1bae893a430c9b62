import { type EventLoopUtilization, performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What the trimmer sees and does; real by default. */
export interface HeapTrimmerOptions {
  readonly heapUsed: () => number;
  /** Share of time in which the event loop had work, since the last call: 0 to 1. */
  readonly utilization: () => number;
  readonly collect: () => void;
}

/** A process this busy is left alone. */
const calm = 0.2;
/** Growth since the last collection that is worth one, in bytes. */
const worthwhile = 24 * 1024 * 1024;

/**
 * Gives memory back when load has passed. V8 collects its old generation only while a program allocates: after a peak a calm gateway would
 * keep the garbage of its busiest minute for hours. Asked every few seconds, it collects once it is calm; that takes some tens of milliseconds.
 */
export class HeapTrimmer {
  readonly #options: HeapTrimmerOptions;
  #floor: number;

  constructor(options: Partial<HeapTrimmerOptions> = {}) {
    this.#options = {
      heapUsed: () => process.memoryUsage().heapUsed,
      utilization: utilizationSinceLast(),
      collect: collector(),
      ...options,
    };
    this.#floor = this.#options.heapUsed();
  }

  /** Collects if there is something to collect and nothing else to do. */
  tend(): void {
    const { heapUsed, utilization, collect } = this.#options;
    const busy = utilization();
    const used = heapUsed();
    this.#floor = Math.min(this.#floor, used);
    if (busy > calm || used - this.#floor < worthwhile) return;
    collect();
    this.#floor = heapUsed();
  }
}

function utilizationSinceLast(): () => number {
  let last: EventLoopUtilization = performance.eventLoopUtilization();
  return () => {
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, last);
    last = current;
    return utilization;
  };
}

/** V8's own `gc`, which is a function only of contexts that are made after the flag is set. */
function collector(): () => void {
  let collect: (() => void) | undefined;
  return () => {
    if (collect === undefined) {
      setFlagsFromString("--expose-gc");
      collect = runInNewContext("gc") as () => void;
    }
    collect();
  };
}
