import type { Limit, RateLimiting, ServerRateLimiting } from "../../config/schema/index.ts";
import { FleetError } from "../../errors.ts";
import type { SecurityMetrics } from "../../observability/security-metrics.ts";
import type { Exchange } from "../../protocol/exchange.ts";
import type { FleetClient } from "../../registry/fleet.ts";
import { digestOf } from "../secret-table.ts";
import { type Bucket, type BucketStore, bucketOf, type Standing, standingHeaders } from "./bucket.ts";
import { countedTool, type ToolLists } from "./counted-tool.ts";

export interface LimiterOptions {
  /** `gateway.rateLimiting`. */
  readonly limits: RateLimiting | undefined;
  /** `servers.<name>.rateLimiting`. */
  readonly limitsOf: (server: string) => ServerRateLimiting | undefined;
  readonly store: BucketStore;
  readonly metrics: SecurityMetrics;
}

/** A bound on calls in flight. */
interface Gate {
  readonly scope: string;
  readonly key: string;
  readonly max: number;
}

/** What bounds one kind of call of one caller. */
export interface Bounds {
  readonly buckets: readonly Bucket[];
  readonly gates: readonly Gate[];
}

/** The bounds of one caller, by server and tool. */
export type CallerBounds = Map<string, Map<string, Bounds>>;

/** Tools of one server for which a caller's bounds are kept ready. */
const maxTools = 2000;
const maxKeptName = 256;

/** Counts calls and holds those back that are too many. */
export class Limiter {
  readonly #options: LimiterOptions;
  /** Calls in flight by the key of their gate; none is no entry, so that there are never more entries than calls. */
  readonly #inFlight = new Map<string, number>();

  constructor(options: LimiterOptions) {
    this.#options = options;
  }

  /** What bounds a call of a caller; `server` and `tool` are empty for what the gateway answers itself. */
  boundsFor(caller: string, kept: CallerBounds, server: string, tool: string): Bounds {
    const ofServer = kept.get(server);
    const known = ofServer?.get(tool);
    if (known !== undefined) return known;
    const bounds = this.#boundsFor(caller, server, tool.length > maxKeptName ? digestOf(tool) : tool);
    if (tool.length > maxKeptName) return bounds;
    const tools = ofServer ?? new Map<string, Bounds>();
    if (tools.size >= maxTools) tools.clear();
    tools.set(tool, bounds);
    kept.set(server, tools);
    return bounds;
  }

  /** The same for a call of a tool; one that its server does not list is counted with the others of that kind. */
  boundsOfTool(
    caller: string,
    kept: CallerBounds,
    server: string,
    tool: string,
    lists: ToolLists,
    client: FleetClient,
  ): Bounds {
    const known = kept.get(server)?.get(tool);
    if (known !== undefined) return known;
    const configured = toolLimit(this.#options.limitsOf(server), tool) !== undefined;
    return this.boundsFor(caller, kept, server, configured ? tool : countedTool(lists, client, tool));
  }

  /** Counts a call, as `cost` calls. Throws or rejects with RATE_LIMITED; else the exchange knows what is left. */
  admit({ buckets }: Bounds, exchange: Exchange, cost = 1): Promise<void> | undefined {
    if (buckets.length === 0) return undefined;
    const standing = this.#options.store.take(buckets, cost);
    if (standing instanceof Promise) return standing.then((later) => this.#judge(buckets, later, exchange, cost));
    this.#judge(buckets, standing, exchange, cost);
    return undefined;
  }

  /** A call begins to be in flight. Throws RATE_LIMITED. */
  begin({ gates }: Bounds): void {
    for (const gate of gates) {
      if ((this.#inFlight.get(gate.key) ?? 0) < gate.max) continue;
      this.#options.metrics.limited(gate.scope);
      throw new FleetError("RATE_LIMITED", `Too many requests: ${gate.max} calls of this ${gate.scope} are in flight`, {
        data: { retryAfterMs: 1000 },
        headers: { "retry-after": "1" },
      });
    }
    for (const { key } of gates) this.#inFlight.set(key, (this.#inFlight.get(key) ?? 0) + 1);
  }

  end({ gates }: Bounds): void {
    for (const { key } of gates) {
      const left = (this.#inFlight.get(key) ?? 1) - 1;
      if (left === 0) this.#inFlight.delete(key);
      else this.#inFlight.set(key, left);
    }
  }

  #judge(buckets: readonly Bucket[], standing: Standing, exchange: Exchange, cost: number): void {
    const bucket = buckets[standing.index] as Bucket;
    const headers = standingHeaders(bucket, standing);
    if (standing.allowed) {
      exchange.headers = headers;
      return;
    }
    this.#options.metrics.limited(bucket.scope);
    const seconds = Math.max(Math.ceil(standing.resetMs / 1000), 1);
    const reached = `the limit of this ${bucket.scope} is reached`;
    const text =
      cost <= Number(bucket.limitText)
        ? `Too many requests: ${reached}; come back in ${seconds} s`
        : `Too many requests: this one counts as ${cost}, and ${bucket.limitText} are allowed at once; ask for less`;
    throw new FleetError("RATE_LIMITED", text, {
      data: { retryAfterMs: Math.ceil(standing.resetMs) },
      headers: { ...headers, "retry-after": String(seconds) },
    });
  }

  #boundsFor(caller: string, server: string, tool: string): Bounds {
    const { limits = {}, limitsOf } = this.#options;
    const ofServer = server === "" ? undefined : limitsOf(server);
    const applied: [Bucket["scope"], string, Limit | undefined][] = [
      ["caller", keyOf("caller", caller), limits.caller],
    ];
    if (server !== "") {
      applied.push(["server", keyOf("server-of", server, caller), limits.server]);
      applied.push(["server", keyOf("server", server), ofServer]);
      applied.push(["server", keyOf("server-per", server, caller), ofServer?.perCaller]);
    }
    if (tool !== "") {
      applied.push(["tool", keyOf("tool-of", server, tool, caller), limits.tool]);
      applied.push(["tool", keyOf("tool", server, tool), toolLimit(ofServer, tool)]);
    }
    const buckets = applied.map(([scope, key, limit]) => bucketOf(scope, key, limit));
    const gates = applied.flatMap(([scope, key, limit]) =>
      limit?.concurrency === undefined ? [] : [{ scope, key, max: limit.concurrency }],
    );
    return { buckets: buckets.filter((bucket) => bucket !== undefined), gates };
  }
}

/** A key that no other parts make: callers and tools choose their names. */
const keyOf = (...parts: string[]): string => JSON.stringify(parts);

/** A tool may be called `constructor`. */
function toolLimit(limits: ServerRateLimiting | undefined, tool: string): Limit | undefined {
  return limits?.tools !== undefined && Object.hasOwn(limits.tools, tool) ? limits.tools[tool] : undefined;
}
