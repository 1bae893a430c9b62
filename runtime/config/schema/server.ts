import Type, { type Static } from "typebox";

import { addressExamples, addressPattern } from "./address-rules.ts";
import { Requirement } from "./auth.ts";
import { Limits, Sandbox } from "./confinement.ts";
import { Credentials } from "./credentials.ts";
import { Discovery } from "./discovery.ts";
import { Isolation, ServerType, serverNamePattern, UpstreamProtocol } from "./names.ts";
import { Batching, Cache, Coalescing, Pool, Queue } from "./performance.ts";
import { Integrity, ServerRateLimiting } from "./protection.ts";
import { CircuitBreaker, Concurrency, HealthCheck, LoadBalancer, Retry } from "./resilience.ts";
import { UpstreamTls } from "./upstream-tls.ts";

const options = { additionalProperties: false } as const;
const oneOf = <T extends Record<string, string>>(values: T, description: string) =>
  Type.Enum(Object.values(values) as [T[keyof T], ...T[keyof T][]], { description });

/** A local process that speaks MCP on its standard streams; the orchestrator supervises it. */
export const ProcessSource = Type.Object(
  {
    command: Type.String({ minLength: 1, description: "Executable, absolute or found on PATH." }),
    args: Type.Optional(
      Type.Array(Type.String(), {
        description:
          "Arguments. Everybody on the machine sees them in the list of processes: give secrets in `env`. Defaults to none.",
      }),
    ),
    env: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: "Environment added to a minimal one (PATH, HOME, LANG, TMPDIR). Values may be references.",
      }),
    ),
    cwd: Type.Optional(Type.String({ description: "Working directory. Defaults to the instance's temporary folder." })),
  },
  options,
);

/** How many instances a fleet keeps. */
export const Scaling = Type.Object(
  {
    minInstances: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000, description: "Kept warm. Defaults to 1." })),
    maxInstances: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: "Never more than this. Defaults to 4." }),
    ),
    targetInFlight: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10000,
        description:
          "Calls in flight on each shared process before another one is started; the youngest is ended when the others could have taken the load of the last `timeouts.idleMs`. Not for other isolations. Defaults to 16.",
      }),
    ),
    targetCpuPercent: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        description:
          "What shared processes are to use of one processor each, on average over five seconds; when they use more, another one is started. Not for other isolations. Linux only. Defaults to any.",
      }),
    ),
    targetMemoryPercent: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description:
          "The same of memory: percent of `limits.memoryMiB`, or of the machine's memory divided by `maxInstances`. Defaults to any.",
      }),
    ),
  },
  options,
);

/** Bounds in milliseconds. */
export const Timeouts = Type.Object(
  {
    connectMs: Type.Optional(
      Type.Integer({ minimum: 1, description: "To start an instance or to wait for a free one. Defaults to 30000." }),
    ),
    requestMs: Type.Optional(Type.Integer({ minimum: 1, description: "For one call. Defaults to 120000." })),
    resetOnProgress: Type.Optional(
      Type.Boolean({
        description:
          "Each progress notification of the server begins `requestMs` again. Servers send them for calls that carry a `progressToken`. Defaults to false.",
      }),
    ),
    maxRequestMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          "For one call with `resetOnProgress`, however much progress it makes; `requestMs` when that is more. Defaults to 3600000.",
      }),
    ),
    idleMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          "A session's own instance ends after this time without a call. A shared process ends when the calls of this time did not need it. Defaults to 600000.",
      }),
    ),
  },
  options,
);

/** Which tools a fleet shows, and under which other names they may be called. */
export const Tools = Type.Object(
  {
    allow: Type.Optional(Type.Array(Type.String(), { description: "Only these tools. Defaults to all." })),
    deny: Type.Optional(Type.Array(Type.String(), { description: "All but these tools. Defaults to none." })),
    aliases: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: "Other name → the server's own tool name." }),
    ),
  },
  options,
);

/** Which methods clients may call besides those of MCP. */
export const Methods = Type.Object(
  {
    allow: Type.Array(Type.String({ pattern: "^[\\w.$-]+(?:/[\\w.$-]+)+$" }), {
      description: "Methods that are no part of MCP and are relayed all the same, exact in case: `acme/search`.",
    }),
  },
  options,
);

/** One fleet: instances of one MCP server. */
export const Server = Type.Object(
  {
    type: oneOf(ServerType, "A preset, or `custom`."),
    version: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          "Exact version of a preset's package, like 1.2.3; no tag or range. Defaults to the one it pins. For a custom server, the version to show; a change restarts its processes. Defaults to what the server says.",
      }),
    ),
    process: Type.Optional(ProcessSource),
    endpoints: Type.Optional(
      Type.Array(
        Type.String({
          pattern: addressPattern,
          examples: addressExamples,
          description: "URL of a server: http(s):// for Streamable HTTP, ws(s)://, or tcp://host:port.",
        }),
        {
          minItems: 1,
          description: "Fixed instances that something else runs.",
        },
      ),
    ),
    discovery: Type.Optional(Discovery),
    protocol: Type.Optional(
      oneOf(
        UpstreamProtocol,
        "Defaults to `stdio` for a process, else to what the endpoints' scheme says. `sse` is the HTTP+SSE of 2024-11-05.",
      ),
    ),
    isolation: Type.Optional(
      oneOf(Isolation, "Who shares one upstream session or process. Presets choose; `custom` defaults to `session`."),
    ),
    scaling: Type.Optional(Scaling),
    timeouts: Type.Optional(Timeouts),
    tools: Type.Optional(Tools),
    methods: Type.Optional(Methods),
    cache: Type.Optional(Cache),
    coalescing: Type.Optional(Coalescing),
    queue: Type.Optional(Queue),
    batching: Type.Optional(Batching),
    pool: Type.Optional(Pool),
    loadBalancer: Type.Optional(LoadBalancer),
    circuitBreaker: Type.Optional(CircuitBreaker),
    retry: Type.Optional(Retry),
    healthCheck: Type.Optional(HealthCheck),
    concurrency: Type.Optional(Concurrency),
    fallback: Type.Optional(
      Type.Array(Type.String({ pattern: serverNamePattern }), {
        minItems: 1,
        description:
          "Other servers of this configuration that take a call which this one cannot, in this order. Defaults to none.",
      }),
    ),
    required: Type.Optional(
      Type.Boolean({
        description:
          "Without a healthy instance of it the gateway is not ready (`/ready`), for all servers. Defaults to false.",
      }),
    ),
    auth: Type.Optional(Requirement),
    rateLimiting: Type.Optional(ServerRateLimiting),
    integrity: Type.Optional(Integrity),
    credentials: Type.Optional(Credentials),
    tls: Type.Optional(UpstreamTls),
    limits: Type.Optional(Limits),
    sandbox: Type.Optional(Sandbox),
  },
  options,
);

export type ProcessSource = Static<typeof ProcessSource>;
export type Scaling = Static<typeof Scaling>;
export type Timeouts = Static<typeof Timeouts>;
export type Tools = Static<typeof Tools>;
export type Methods = Static<typeof Methods>;
export type Server = Static<typeof Server>;
