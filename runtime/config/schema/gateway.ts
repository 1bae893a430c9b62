import Type, { type Static } from "typebox";
import { Auth } from "./auth.ts";
import { Audit, Authorization, Connections, Cors, RateLimiting, Tls } from "./protection.ts";

const options = { additionalProperties: false } as const;

/** Sealed session ids: their keys and bounds. */
export const Session = Type.Object(
  {
    keys: Type.Optional(
      Type.Array(
        Type.Object(
          {
            id: Type.String({ pattern: "^[A-Za-z0-9_-]{1,16}$", description: "Key id, part of every session id." }),
            key: Type.String({ minLength: 1, description: "A reference to 32 bytes in base64 or base64url." }),
          },
          options,
        ),
        {
          minItems: 1,
          description: "The first seals, all open. Defaults to one made once and kept in the state folder.",
        },
      ),
    ),
    idleTimeoutMs: Type.Optional(
      Type.Integer({
        minimum: 1000,
        description: "How long what is kept for an unused session stays. Defaults to 3600000 (one hour).",
      }),
    ),
    maxAgeMs: Type.Optional(Type.Integer({ minimum: 1000, description: "Defaults to 86400000 (one day)." })),
    maxSessions: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: "Live sessions kept in memory; the least recently used one goes first. Defaults to 10000.",
      }),
    ),
    maxSessionsPerCaller: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: "The same for each caller, who loses sessions of its own only. Defaults to 1000.",
      }),
    ),
    drainMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          "How long sessions with an instance of their own may stay on the old server after it has changed. With 0 they lose it at once. Defaults to 600000 (ten minutes).",
      }),
    ),
  },
  options,
);

/** Where operators talk to the gateway. */
export const Admin = Type.Object(
  {
    socket: Type.Optional(Type.String({ minLength: 1, description: "Path of a unix socket. Defaults to none." })),
  },
  options,
);

/** Structured logs. */
export const Log = Type.Object(
  {
    level: Type.Optional(
      Type.Enum(["trace", "debug", "info", "warn", "error", "silent"], { description: "Defaults to `info`." }),
    ),
    file: Type.Optional(Type.String({ minLength: 1, description: "Rotated log file. Defaults to standard error." })),
    maxBytes: Type.Optional(
      Type.Integer({ minimum: 1024, description: "Size at which the file rotates. Defaults to 10485760." }),
    ),
    maxFiles: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: "Rotated files kept. Defaults to 5." }),
    ),
  },
  options,
);

/** Listeners besides the gateway's HTTP port. */
export const Listeners = Type.Object(
  {
    tcp: Type.Optional(
      Type.Object(
        {
          port: Type.Integer({ minimum: 0, maximum: 65535, description: "On 127.0.0.1; 0 takes a free one." }),
          server: Type.Optional(Type.String({ description: "One server, names unchanged. Defaults to all." })),
        },
        { ...options, description: "MCP over TCP, one message a line. It cannot authenticate, so not beside `auth`." },
      ),
    ),
  },
  options,
);

/** What gateways share, so that each knows what another one has learnt. */
export const Shared = Type.Object(
  {
    redis: Type.String({
      minLength: 1,
      description:
        "`redis://host:port` or `rediss://…`; a reference when it holds a password. It counts for limits, so its `maxmemory-policy` should be `noeviction`.",
    }),
    cacheRedis: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          "Another Redis for kept answers, so that they never push the counts of limits out. Defaults to `redis`, over a connection of its own.",
      }),
    ),
    password: Type.Optional(
      Type.String({
        minLength: 1,
        description: "A reference: password of both, where their URLs have none. Defaults to none.",
      }),
    ),
    prefix: Type.Optional(Type.String({ minLength: 1, description: "Begins every key. Defaults to `mcp-fleet`." })),
    maxAnswerBytes: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_485_760,
        description: "Larger answers stay in the gateway that asked for them. Defaults to 102400.",
      }),
    ),
  },
  options,
);

/** Metrics as lines on the standard output, of which CloudWatch makes metrics (Embedded Metric Format). */
export const MetricsLog = Type.Object(
  {
    namespace: Type.String({
      pattern: "^[A-Za-z0-9._/#-]{1,255}$",
      description: "Namespace of the metrics in CloudWatch.",
    }),
    seconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 3600, description: "A line for each server so often. Defaults to 60." }),
    ),
  },
  options,
);

/** The gateway in front of all fleets. */
export const Gateway = Type.Object(
  {
    host: Type.Optional(Type.String({ minLength: 1, description: "Address to listen on. Defaults to 127.0.0.1." })),
    port: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65535, description: "0 takes a free one. Defaults to 8080." }),
    ),
    allowedHosts: Type.Optional(
      Type.Array(Type.String(), { description: "Host header names accepted besides loopback ones and `host`." }),
    ),
    allowedOrigins: Type.Optional(
      Type.Array(Type.String(), { description: "Browser origins accepted besides loopback ones." }),
    ),
    compressFromBytes: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          "JSON answers of `/mcp` from so many bytes on are compressed (zstd, br or gzip) for clients that take that; event streams are not. 0 compresses none. Defaults to 65536.",
      }),
    ),
    maxBodyBytes: Type.Optional(
      Type.Integer({ minimum: 1024, description: "Largest request body. Defaults to 4194304." }),
    ),
    toolSearch: Type.Optional(
      Type.Boolean({
        description: "`/mcp` shows only `find_tools`, `describe_tools` and `call_tool`. Defaults to false.",
      }),
    ),
    workers: Type.Optional(
      // One schema of two types rather than a union, of whose branches a mistake would break both.
      Type.Unsafe<number | "auto">({
        type: ["integer", "string"],
        pattern: "^auto$",
        minimum: 1,
        maximum: 256,
        description: "Processes that share the port; `auto` is one for each core of the CPU quota. Defaults to 1.",
      }),
    ),
    drainMs: Type.Optional(
      Type.Integer({ minimum: 0, description: "How long calls in flight may go on after SIGTERM. Defaults to 10000." }),
    ),
    lingerMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          "After SIGTERM, clients with open connections are told for so long to connect anew before these are closed; part of `drainMs`. For a gateway of which others take over: 5000 in a rolling update, so long as its clients keep an idle connection. Defaults to 0.",
      }),
    ),
    listeners: Type.Optional(Listeners),
    auth: Type.Optional(Auth),
    authorization: Type.Optional(Authorization),
    rateLimiting: Type.Optional(RateLimiting),
    tls: Type.Optional(Tls),
    cors: Type.Optional(Cors),
    audit: Type.Optional(Audit),
    connections: Type.Optional(Connections),
    session: Type.Optional(Session),
    admin: Type.Optional(Admin),
    log: Type.Optional(Log),
    metricsLog: Type.Optional(MetricsLog),
    shared: Type.Optional(Shared),
  },
  options,
);

export type Listeners = Static<typeof Listeners>;
export type Session = Static<typeof Session>;
export type Admin = Static<typeof Admin>;
export type Log = Static<typeof Log>;
export type MetricsLog = Static<typeof MetricsLog>;
export type Shared = Static<typeof Shared>;
export type Gateway = Static<typeof Gateway>;
