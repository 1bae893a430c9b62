import type { ResolvedQueue, ResolvedServer } from "../config/index.ts";
import type { Bound } from "../observability/bounds.ts";
import type { Params } from "../protocol/json-rpc.ts";
import { type Priority, priorities } from "../protocol/priority.ts";
import type { ListCapability } from "../registry/catalog.ts";
import type { Fleet } from "../registry/fleet.ts";
import type { FleetStage } from "../registry/fleet-call.ts";
import { CachePolicy } from "./cache-policy.ts";
import { CallQueue } from "./call-queue.ts";
import { Coalescing, type Sharing } from "./coalescing.ts";
import { type CacheOutcome, ResponseCache } from "./response-cache.ts";
import { SharedSpace, type SharedSpaceOptions } from "./shared-cache.ts";

export interface FleetPerformanceOptions {
  readonly fleet: string;
  readonly isolation: string;
  readonly requestMs: number;
  readonly cache: ResolvedServer["cache"];
  readonly coalescing: ResolvedServer["coalescing"];
  /** Without it calls do not queue here. */
  readonly queue: ResolvedQueue | undefined;
  /** Where gateways share answers; undefined when they do not. */
  readonly shared: Omit<SharedSpaceOptions, "onFailure"> | undefined;
  readonly now: () => number;
  /** A call has begun after waiting so long in the queue. */
  readonly onWaited: (priority: Priority, ms: number) => void;
}

/** What the stages of one fleet have done so far, and what they hold. */
export interface PerformanceCounts {
  readonly cache: Readonly<Record<CacheOutcome, number>>;
  readonly cacheBytes: number;
  readonly cacheEntries: number;
  /** Look-ups and changes that Redis did not take: the gateway went on alone. */
  readonly sharedFailures: number;
  readonly coalesced: number;
  /** By priority; undefined without a queue. */
  readonly queued: Readonly<Record<Priority, number>> | undefined;
}

/** The performance stages of one fleet: response cache → coalescing → priority queue. */
export class FleetPerformance {
  /** For the fleet's pipeline, outermost first. */
  readonly stages: readonly FleetStage[];
  readonly #options: FleetPerformanceOptions;
  readonly #policy: CachePolicy;
  readonly #outcomes = { hit: 0, stale: 0, shared: 0, miss: 0 };
  readonly #coalescable: ReadonlySet<string>;
  #coalesced = 0;
  #sharedFailures = 0;
  #cache: ResponseCache | undefined;
  #queue: CallQueue | undefined;

  constructor(options: FleetPerformanceOptions) {
    const { cache, coalescing, queue } = options;
    this.#options = options;
    this.#policy = new CachePolicy(cache);
    this.#coalescable = new Set(coalescing.tools);
    this.stages = [
      ...(cache.enabled ? [this.#cacheStage] : []),
      ...(cache.enabled || coalescing.enabled || coalescing.tools.length > 0 ? [this.#coalescingStage] : []),
      ...(queue === undefined ? [] : [this.#queueStage(queue)]),
    ];
  }

  counts(): PerformanceCounts {
    const queue = this.#queue;
    return {
      cache: { ...this.#outcomes },
      cacheBytes: this.#cache?.bytes ?? 0,
      cacheEntries: this.#cache?.size ?? 0,
      sharedFailures: this.#sharedFailures,
      coalesced: this.#coalesced,
      queued:
        queue &&
        (Object.fromEntries(priorities.map((level) => [level, queue.length(level)])) as Record<Priority, number>),
    };
  }

  /** How near its bounds are. */
  bounds(): readonly Bound[] {
    const { cache, queue } = this.#options;
    return [
      { name: "cache_bytes", whenFull: "evict", use: () => ({ size: this.#cache?.bytes ?? 0, max: cache.maxBytes }) },
      { name: "queue", whenFull: "refuse", use: () => ({ size: this.#queue?.size ?? 0, max: queue?.maxWaiting ?? 0 }) },
    ];
  }

  /** The server's list of this kind has changed, or another version of it serves. */
  listChanged(kind: ListCapability): void {
    this.#cache?.invalidate(kind);
    if (kind === "resources") this.#cache?.invalidate("contents");
  }

  /** The contents of a resource have changed. */
  updated(uri: string): void {
    this.#cache?.invalidate("contents", uri);
  }

  readonly #cacheStage: FleetStage = (next) => {
    const { cache, isolation, requestMs, now } = this.#options;
    this.#cache = new ResponseCache(next, {
      ...{
        isolation,
        policy: this.#policy,
        maxBytes: cache.maxBytes,
        now,
        timeoutMs: requestMs,
        shared: this.#sharedSpace(),
      },
      // A fetch that nobody waits for would start an instance for a session that may have ended.
      staleMs: isolation === "session" ? 0 : cache.staleMs,
      onLookup: (outcome) => {
        this.#outcomes[outcome] += 1;
      },
    });
    return this.#cache.call;
  };

  #sharedSpace(): SharedSpace | undefined {
    const { shared } = this.#options;
    if (shared === undefined) return undefined;
    const onFailure = () => {
      this.#sharedFailures += 1;
    };
    return new SharedSpace({ ...shared, onFailure });
  }

  readonly #coalescingStage: FleetStage = (next, fleet) => {
    const coalescing = new Coalescing(next, {
      isolation: this.#options.isolation,
      shares: (method, params) => this.#sharing(fleet, method, params),
      onCoalesced: () => {
        this.#coalesced += 1;
      },
    });
    return coalescing.call;
  };

  #queueStage(queue: ResolvedQueue): FleetStage {
    return (next) => {
      const { fleet, now, onWaited } = this.#options;
      this.#queue = new CallQueue(next, { fleet, ...queue, now, onWaited });
      return this.#queue.call;
    };
  }

  /** Calls share an answer that may be kept, or whose repetition changes nothing by what operator or tool say. */
  #sharing(fleet: Fleet, method: string, params: Params | undefined): Sharing | undefined {
    const { cache, coalescing } = this.#options;
    if (cache.enabled && this.#policy.tagOf(method, params) !== undefined) return this.#policy.sharingOf(method);
    if (method !== "tools/call") return undefined;
    const name = params?.name as string;
    if (this.#coalescable.has(name)) return "caller";
    if (!coalescing.enabled) return undefined;
    const hints = fleet.catalog.tool(name)?.annotations as Params | undefined;
    return hints?.readOnlyHint === true || hints?.idempotentHint === true ? "caller" : undefined;
  }
}
