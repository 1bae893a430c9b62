import type * as pulumi from "@pulumi/pulumi";

/** Which of the ready instances takes a call, or a new session. */
export interface FleetLoadBalancerArgs {
  /** `round-robin`, `least-connections` (the better of two chosen by chance), `weighted`, `resource-based` (CPU and memory of the instances' hosts), or `custom:<name>` for a registered one. Defaults to `least-connections`. */
  strategy?: pulumi.Input<string>;
  /** With `isolation: shared`: the same session goes to the same instance while that is healthy. Sessions of the other isolations always stay where they are. Defaults to false. */
  stickySession?: pulumi.Input<boolean>;
  /** Where this gateway is: instances of the same zone are preferred. Defaults to no preference. */
  zone?: pulumi.Input<string>;
  /** An instance that has come up takes its full share only after so long. Defaults to 5000. */
  slowStartMs?: pulumi.Input<number>;
}

/** When calls to an instance, or to the whole fleet, are stopped for a while. */
export interface FleetCircuitBreakerArgs {
  /** Whether there is one. Defaults to true. */
  enabled?: pulumi.Input<boolean>;
  /** Opens when more of the calls in a window fail. Defaults to 50. */
  errorPercent?: pulumi.Input<number>;
  /** A call that takes longer is slow. Defaults to no bound. */
  slowCallMs?: pulumi.Input<number>;
  /** Opens when more of the calls in a window are slow. Defaults to 80. */
  slowPercent?: pulumi.Input<number>;
  /** Length of the window. Defaults to 10000. */
  windowMs?: pulumi.Input<number>;
  /** Fewer calls in a window say nothing. Defaults to 20. */
  minimumCalls?: pulumi.Input<number>;
  /** Until one call may try; doubled with each try that fails, up to a minute. Defaults to 5000. */
  openMs?: pulumi.Input<number>;
}

/** What happens to a call that failed: only one that the server has not begun, or that changes nothing, is repeated. */
export interface FleetRetryArgs {
  /** The first one included; 1 repeats nothing. Defaults to 3. */
  attempts?: pulumi.Input<number>;
  /** Send a repeatable call to another instance too when it has no answer after this time; the first answer counts. Defaults to ten times what calls usually take, at least 1000, at most a quarter of `timeouts.requestMs`. */
  attemptMs?: pulumi.Input<number>;
  /** Repeated calls over all calls of the last ten seconds; ten are always allowed. Defaults to 20. */
  budgetPercent?: pulumi.Input<number>;
  /** Longest pause before the second attempt at the same instance, doubled with each one; the pause is random. Defaults to 50. */
  backoffMs?: pulumi.Input<number>;
  /** Tools whose calls may be repeated, besides those that declare themselves read-only or idempotent. Defaults to none. */
  idempotentTools?: pulumi.Input<pulumi.Input<string>[]>;
  /** Send a call of a read-only tool to a second instance too when it has no answer after this time; the first answer counts. Defaults to never. */
  hedgeAfterMs?: pulumi.Input<number>;
}

/** Which instances are left out because their calls go worse than those of the others. */
export interface FleetOutlierArgs {
  /** Whether outliers are left out. Defaults to true. */
  enabled?: pulumi.Input<boolean>;
  /** Failed calls in a row. Defaults to 5. */
  consecutiveErrors?: pulumi.Input<number>;
  /** Times the median of the others. Defaults to 5. */
  latencyFactor?: pulumi.Input<number>;
  /** Faster than this is never slow. Defaults to 500. */
  latencyFloorMs?: pulumi.Input<number>;
  /** Never more of the instances. Defaults to 50. */
  maxEjectedPercent?: pulumi.Input<number>;
  /** Times the number of ejections in a row, up to five minutes. Defaults to 10000. */
  ejectionMs?: pulumi.Input<number>;
}

/** How the gateway finds out whether an instance serves. */
export interface FleetHealthCheckArgs {
  /** Whether instances are checked. Defaults to true. */
  enabled?: pulumi.Input<boolean>;
  /** Between two checks of one instance. Defaults to 10000. */
  intervalMs?: pulumi.Input<number>;
  /** For one check; the next one follows a failed one at once. Defaults to 2000. */
  timeoutMs?: pulumi.Input<number>;
  /** Failed checks in a row. Defaults to 2. */
  unhealthyThreshold?: pulumi.Input<number>;
  /** Passed checks in a row. Defaults to 2. */
  healthyThreshold?: pulumi.Input<number>;
  /** `GET` of this path must answer 2xx. Defaults to an MCP `ping`, or `server/discover` in the stateless era. */
  path?: pulumi.Input<string>;
  /** `GET` of this path answers `{ cpu, memory }`, for `resource-based`. Defaults to `/load`. */
  loadPath?: pulumi.Input<string>;
  /** A process that fails this many checks in a row is restarted once no call in flight has time left; 0 never restarts it. Defaults to 5. */
  restartAfter?: pulumi.Input<number>;
  /** Passive checks: how calls go. */
  outlier?: FleetOutlierArgs;
}

/** How many calls each gateway process sends at a time; the rest waits, and what cannot wait is refused at once. */
export interface FleetConcurrencyArgs {
  /** Calls under way at once. Defaults to 1024. */
  maxInFlight?: pulumi.Input<number>;
  /** Calls that may wait. Defaults to 1024. */
  maxQueue?: pulumi.Input<number>;
  /** How long one may wait. Defaults to 10000. */
  queueMs?: pulumi.Input<number>;
  /** Lowers the limit while answers become slower, down to 1/16 of maxInFlight. Defaults to false. */
  adaptive?: pulumi.Input<boolean>;
}
