import type * as pulumi from "@pulumi/pulumi";

/** Answers that are kept and given again. */
export interface FleetCacheArgs {
  /** Whether answers are kept that the server declares cacheable. Defaults to true. */
  enabled?: pulumi.Input<boolean>;
  /** Tool to milliseconds for which its answers are kept. Defaults to none. */
  tools?: pulumi.Input<Record<string, pulumi.Input<number>>>;
  /** Who shares kept answers of tools: the same `caller`, or `everyone`. Defaults to `caller`. */
  toolSharing?: pulumi.Input<string>;
  /** For resources of a server that does not say how long (`ttlMs`). Defaults to 0: they are not kept. */
  resourcesMs?: pulumi.Input<number>;
  /** An answer still serves so long after its time, while a fresh one is fetched. Defaults to 0. */
  staleMs?: pulumi.Input<number>;
  /** Memory for kept answers of this server. Defaults to 16777216. */
  maxBytes?: pulumi.Input<number>;
}

/** Identical calls under way at the same time become one; those whose answers are kept always do. */
export interface FleetCoalescingArgs {
  /** For tools that declare themselves read-only or idempotent; it costs each of their calls a little. Defaults to false. */
  enabled?: pulumi.Input<boolean>;
  /** Tools besides those that declare it themselves. Defaults to none. */
  tools?: pulumi.Input<pulumi.Input<string>[]>;
}

/** Percent of the calls that begin, at least, while some of that priority wait. */
export interface FleetMinimumPercentArgs {
  /** For `high` calls. Defaults to 20. */
  high?: pulumi.Input<number>;
  /** For `normal` calls. Defaults to 10. */
  normal?: pulumi.Input<number>;
  /** For `low` calls. Defaults to 5. */
  low?: pulumi.Input<number>;
}

/** How many calls of a server go at once, and how the others wait. */
export interface FleetQueueArgs {
  /** Calls under way at once. */
  concurrency: pulumi.Input<number>;
  /** Calls that wait. Defaults to 1000. */
  maxWaiting?: pulumi.Input<number>;
  /** A call that has waited so long is refused. Defaults to 30000. */
  maxWaitMs?: pulumi.Input<number>;
  /** A waiting call counts as one level more urgent after each such time, up to `high`. Defaults to 5000. */
  ageMs?: pulumi.Input<number>;
  /** Percent of the calls that begin, at least, by priority. */
  minimumPercent?: FleetMinimumPercentArgs;
}

/** Requests to a server over HTTP go out together. */
export interface FleetBatchingArgs {
  /** Where a server host takes batches: `/batch`. Without it arrays go to servers that negotiate 2025-03-26, and others get no batches. */
  path?: pulumi.Input<string>;
  /** Requests of one batch. Defaults to 50. */
  maxBatchSize?: pulumi.Input<number>;
  /** Longest wait for company while other batches are under way; without any there is none. Defaults to 5. */
  batchTimeoutMs?: pulumi.Input<number>;
  /** Batches under way at once. Defaults to 4. */
  maxInFlight?: pulumi.Input<number>;
  /** Bodies from so many bytes on are compressed, if the server has said that it takes that. Defaults to 1024. */
  compressFrom?: pulumi.Input<number>;
}

/** Connections to each instance over HTTP. */
export interface FleetPoolArgs {
  /** Connections for calls to one instance; the next calls wait for one. Streams have one each beside them. Defaults to 32. */
  maxConnections?: pulumi.Input<number>;
  /** A connection without work is closed; sooner when the server's `Keep-Alive` says so. Defaults to what that says, else 4000. */
  idleTimeoutMs?: pulumi.Input<number>;
  /** An older connection is replaced after its call, so that a name's new addresses are found. Defaults to 600000. */
  maxLifetimeMs?: pulumi.Input<number>;
}
