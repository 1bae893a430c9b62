import Type, { type Static } from "typebox";

const options = { additionalProperties: false } as const;

/** Answers that are kept and given again. */
export const Cache = Type.Object(
  {
    enabled: Type.Optional(
      Type.Boolean({ description: "Whether answers are kept that the server declares cacheable. Defaults to true." }),
    ),
    tools: Type.Optional(
      Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: 86400000 }), {
        description: "Tool → milliseconds for which its answers are kept. Defaults to none.",
      }),
    ),
    toolSharing: Type.Optional(
      Type.Enum(["caller", "everyone"], {
        description: "Who shares kept answers of tools: the same `caller`, or `everyone`. Defaults to `caller`.",
      }),
    ),
    resourcesMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          "For resources of a server that does not say how long (`ttlMs`). Defaults to 0: they are not kept.",
      }),
    ),
    staleMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: "An answer still serves so long after its time, while a fresh one is fetched. Defaults to 0.",
      }),
    ),
    maxBytes: Type.Optional(
      Type.Integer({ minimum: 1024, description: "Memory for kept answers of this server. Defaults to 16777216." }),
    ),
  },
  options,
);

/** Identical calls under way at the same time become one; those whose answers are kept always do. */
export const Coalescing = Type.Object(
  {
    enabled: Type.Optional(
      Type.Boolean({
        description:
          "For tools that declare themselves read-only or idempotent; it costs each of their calls a little. Defaults to false.",
      }),
    ),
    tools: Type.Optional(
      Type.Array(Type.String(), { description: "Tools besides those that declare it themselves. Defaults to none." }),
    ),
  },
  options,
);

const percent = (level: string, value: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 33, description: `For ${level} calls. Defaults to ${value}.` }));

/** How many calls of a server go at once, and how the others wait. */
export const Queue = Type.Object(
  {
    concurrency: Type.Integer({ minimum: 1, maximum: 100000, description: "Calls under way at once." }),
    maxWaiting: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000000, description: "Calls that wait. Defaults to 1000." }),
    ),
    maxWaitMs: Type.Optional(
      Type.Integer({ minimum: 1, description: "A call that has waited so long is refused. Defaults to 30000." }),
    ),
    ageMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          "A waiting call counts as one level more urgent after each such time, up to `high`. Defaults to 5000.",
      }),
    ),
    minimumPercent: Type.Optional(
      Type.Object(
        { high: percent("`high`", 20), normal: percent("`normal`", 10), low: percent("`low`", 5) },
        { ...options, description: "Percent of the calls that begin, at least, while some wait." },
      ),
    ),
  },
  options,
);

/** Requests to a server over HTTP go out together. */
export const Batching = Type.Object(
  {
    path: Type.Optional(
      Type.String({
        pattern: "^/",
        description:
          "Where a server host (`mcp-fleet host`) takes batches: `/batch`. Without it arrays go to servers that negotiate 2025-03-26, and others get no batches.",
      }),
    ),
    maxBatchSize: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: "Requests of one batch. Defaults to 50." }),
    ),
    batchTimeoutMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          "Longest wait for company while other batches are under way; without any there is none. Defaults to 5.",
      }),
    ),
    maxInFlight: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: "Batches under way at once. Defaults to 4." }),
    ),
    compressFrom: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          "Bodies from so many bytes on are compressed, if the server has said that it takes that. Defaults to 1024.",
      }),
    ),
  },
  options,
);

export type Batching = Static<typeof Batching>;
/** Connections to each instance over HTTP. */
export const Pool = Type.Object(
  {
    maxConnections: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1024,
        description:
          "Connections for calls to one instance; the next calls wait for one. Streams have one each beside them. Defaults to 32.",
      }),
    ),
    idleTimeoutMs: Type.Optional(
      Type.Integer({
        minimum: 100,
        description:
          "A connection without work is closed; sooner when the server's `Keep-Alive` says so. Defaults to what that says, else 4000.",
      }),
    ),
    maxLifetimeMs: Type.Optional(
      Type.Integer({
        minimum: 1000,
        description:
          "An older connection is replaced after its call, so that a name's new addresses are found. Defaults to 600000.",
      }),
    ),
  },
  options,
);

export type Pool = Static<typeof Pool>;
export type Cache = Static<typeof Cache>;
export type Coalescing = Static<typeof Coalescing>;
export type Queue = Static<typeof Queue>;
