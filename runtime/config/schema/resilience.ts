import Type, { type Static } from "typebox";

const options = { additionalProperties: false } as const;
const ms = (description: string, minimum = 1) => Type.Optional(Type.Integer({ minimum, description }));
const percent = (description: string, minimum = 1, maximum = 99) =>
  Type.Optional(Type.Integer({ minimum, maximum, description }));

/** Which of the ready instances takes a call, or a new session. */
export const LoadBalancer = Type.Object(
  {
    strategy: Type.Optional(
      Type.String({
        pattern: "^[a-z][a-z0-9:-]{0,63}$",
        description:
          "`round-robin`, `least-connections` (calls: the better of two chosen by chance; sessions: the best of all), `weighted`, `resource-based` (CPU and memory of the instances' hosts), or `custom:<name>` for a registered one. Defaults to `least-connections`.",
      }),
    ),
    stickySession: Type.Optional(
      Type.Boolean({
        description:
          "With `isolation: shared`: the same session goes to the same instance while that is healthy. Sessions of the other isolations always stay where they are. Defaults to false.",
      }),
    ),
    zone: Type.Optional(
      Type.String({
        minLength: 1,
        description: "Where this gateway is: instances of the same zone are preferred. Defaults to no preference.",
      }),
    ),
    slowStartMs: ms("An instance that has come up takes its full share only after so long. Defaults to 5000.", 0),
  },
  options,
);

/** When calls to an instance, or to the whole fleet, are stopped for a while. */
export const CircuitBreaker = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean({ description: "Defaults to true." })),
    errorPercent: percent("Opens when more of the calls in a window fail. Defaults to 50."),
    slowCallMs: ms("A call that takes longer is slow. Defaults to no bound."),
    slowPercent: percent("Opens when more of the calls in a window are slow. Defaults to 80."),
    windowMs: ms("Defaults to 10000.", 1000),
    minimumCalls: Type.Optional(
      Type.Integer({ minimum: 1, description: "Fewer calls in a window say nothing. Defaults to 20." }),
    ),
    openMs: ms("Until one call may try; doubled with each try that fails, up to a minute. Defaults to 5000."),
  },
  options,
);

/** What happens to a call that failed: only one that the server has not begun, or that changes nothing, is repeated. */
export const Retry = Type.Object(
  {
    attempts: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10,
        description: "The first one included; 1 repeats nothing. Defaults to 3.",
      }),
    ),
    attemptMs: ms(
      "Send a repeatable call to another instance too when it has no answer after this time; the first answer counts. Defaults to ten times what calls usually take, at least 1000, at most a quarter of `timeouts.requestMs`.",
    ),
    budgetPercent: percent(
      "Repeated calls over all calls of the last ten seconds; ten are always allowed. Defaults to 20.",
      0,
      100,
    ),
    backoffMs: ms(
      "Longest pause before the second attempt at the same instance, doubled with each one; the pause is random. Defaults to 50.",
    ),
    idempotentTools: Type.Optional(
      Type.Array(Type.String(), {
        description:
          "Tools whose calls may be repeated, besides those that declare themselves read-only or idempotent. Defaults to none.",
      }),
    ),
    hedgeAfterMs: ms(
      "Send a call of a read-only tool to a second instance too when it has no answer after this time; the first answer counts. Defaults to never.",
    ),
  },
  options,
);

/** Which instances are left out because their calls go worse than those of the others. */
export const Outlier = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean({ description: "Defaults to true." })),
    consecutiveErrors: Type.Optional(
      Type.Integer({ minimum: 1, description: "Failed calls in a row. Defaults to 5." }),
    ),
    latencyFactor: Type.Optional(
      Type.Integer({ minimum: 2, description: "Times the median of the others. Defaults to 5." }),
    ),
    latencyFloorMs: ms("Faster than this is never slow. Defaults to 500."),
    maxEjectedPercent: percent("Never more of the instances. Defaults to 50.", 0, 99),
    ejectionMs: ms("Times the number of ejections in a row, up to five minutes. Defaults to 10000."),
  },
  options,
);

/** How the gateway finds out whether an instance serves. */
export const HealthCheck = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean({ description: "Defaults to true." })),
    intervalMs: ms("Between two checks of one instance. Defaults to 10000.", 50),
    timeoutMs: ms("For one check; the next one follows a failed one at once. Defaults to 2000.", 10),
    unhealthyThreshold: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: "Failed checks in a row. Defaults to 2." }),
    ),
    healthyThreshold: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: "Passed checks in a row. Defaults to 2." }),
    ),
    path: Type.Optional(
      Type.String({
        pattern: "^/",
        description:
          "`GET` of this path must answer 2xx. Defaults to an MCP `ping`, or `server/discover` in the stateless era.",
      }),
    ),
    loadPath: Type.Optional(
      Type.String({
        pattern: "^/",
        description:
          "`GET` of this path answers `{ cpu, memory, leases }`: the load for `resource-based`, the free places for sessions. Defaults to `/load`.",
      }),
    ),
    restartAfter: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          "A process that fails this many checks in a row is restarted when it has said nothing for `requestMs` and the calls from before that have ended. Later calls end with it. 0 never restarts it. Defaults to 5.",
      }),
    ),
    outlier: Type.Optional(Outlier),
  },
  options,
);

/** How many calls a fleet takes at a time; the rest waits, and what cannot wait is refused at once. */
export const Concurrency = Type.Object(
  {
    maxInFlight: Type.Optional(Type.Integer({ minimum: 1, description: "Defaults to 1024." })),
    maxQueue: Type.Optional(Type.Integer({ minimum: 0, description: "Calls that may wait. Defaults to 1024." })),
    queueMs: ms("How long one may wait. Defaults to 10000."),
    adaptive: Type.Optional(
      Type.Boolean({
        description: "Lowers the limit while answers become slower, down to 1/16 of maxInFlight. Defaults to false.",
      }),
    ),
  },
  options,
);

export type LoadBalancer = Static<typeof LoadBalancer>;
export type CircuitBreaker = Static<typeof CircuitBreaker>;
export type Retry = Static<typeof Retry>;
export type Outlier = Static<typeof Outlier>;
export type HealthCheck = Static<typeof HealthCheck>;
export type Concurrency = Static<typeof Concurrency>;
