import Type, { type Static, type TProperties } from "typebox";

const options = { additionalProperties: false } as const;
const block = <T extends TProperties>(keys: T, description?: string) =>
  Type.Object(keys, description === undefined ? options : { ...options, description });
const text = (description: string) => Type.String({ minLength: 1, description });
const texts = (description: string) => Type.Array(Type.String({ minLength: 1 }), { description });
const count = (minimum: number, description: string) => Type.Integer({ minimum, description });

/** One rule of `gateway.authorization`. */
const Rule = block({
  effect: Type.Enum(["allow", "deny"], { description: "A rule that denies wins over every one that allows." }),
  callers: Type.Optional(texts("Names of callers, `*` stands for any text. Defaults to all.")),
  roles: Type.Optional(texts("Callers with one of these roles. Defaults to all.")),
  scopes: Type.Optional(texts("Callers with all of these OAuth scopes. Defaults to all.")),
  servers: Type.Optional(texts("Names of servers, with `*`. Defaults to all.")),
  tools: Type.Optional(texts("The server's own names of tools, with `*`.")),
  prompts: Type.Optional(texts("Names of prompts, with `*`.")),
  resources: Type.Optional(texts("URIs of resources, with `*`, compared in their normal form (RFC 3986, 6.2.2).")),
  methods: Type.Optional(
    texts(
      "Methods that `servers.<name>.methods.allow` adds, with `*`. Without tools, prompts, resources and methods: all.",
    ),
  ),
  annotations: Type.Optional(
    block(
      {
        readOnlyHint: Type.Optional(Type.Boolean({ description: "Defaults to false where a tool does not say." })),
        destructiveHint: Type.Optional(Type.Boolean({ description: "Defaults to true where a tool does not say." })),
        idempotentHint: Type.Optional(Type.Boolean({ description: "Defaults to false where a tool does not say." })),
        openWorldHint: Type.Optional(Type.Boolean({ description: "Defaults to true where a tool does not say." })),
      },
      "Only tools that say this of themselves. A server may lie: pin its tools (`servers.<name>.integrity`).",
    ),
  ),
  when: Type.Optional(
    text(
      'An expression in CEL over `caller`, `server`, `tool` and `args`: `args.amount < 100 || "admin" in caller.roles`.',
    ),
  ),
});

/** Who may use what. */
export const Authorization = block({
  mode: Type.Optional(
    Type.Enum(["enforce", "dry-run"], {
      description: "`dry-run` logs and counts what would be refused, and lets it pass. Defaults to `enforce`.",
    }),
  ),
  default: Type.Optional(Type.Enum(["deny", "allow"], { description: "What no rule speaks of. Defaults to `deny`." })),
  rules: Type.Array(Rule, { minItems: 1, description: "Their order does not matter: denying ones come first." }),
});

/** A bound on calls. */
const limitKeys = {
  windowMs: Type.Optional(count(1, "Length of the window. Defaults to 60000.")),
  maxRequests: Type.Optional(count(1, "Calls in a window. Defaults to no bound.")),
  burst: Type.Optional(
    count(1, "Makes a token bucket of it: so many at once, refilled at maxRequests per windowMs. Defaults to none."),
  ),
  concurrency: Type.Optional(count(1, "Calls in flight in this process. Defaults to no bound.")),
};
const Limit = (description: string) => Type.Optional(block(limitKeys, description));

/** Bounds for all servers. */
export const RateLimiting = block({
  caller: Limit("All calls of one caller."),
  server: Limit("All calls of one caller to one server."),
  tool: Limit("All calls of one caller to one tool."),
});

/** Bounds of one server; those of a server itself count the calls of all callers. */
export const ServerRateLimiting = block({
  ...limitKeys,
  perCaller: Limit("The calls of one caller to this server."),
  tools: Type.Optional(
    Type.Record(Type.String(), block(limitKeys), { description: "The calls of all callers to a tool, by its name." }),
  ),
});

/** TLS of the gateway's own port. */
export const Tls = block({
  certFile: text("PEM file with the certificate and its chain; a changed file is taken over without a restart."),
  keyFile: text("PEM file with the private key."),
  clientCaFile: Type.Optional(text("PEM file with the authorities of client certificates (mTLS). Defaults to none.")),
  requireClientCert: Type.Optional(
    Type.Boolean({ description: "Connections without a client certificate are refused. Defaults to false." }),
  ),
  minVersion: Type.Optional(Type.Enum(["TLSv1.2", "TLSv1.3"], { description: "Defaults to `TLSv1.2`." })),
  hstsSeconds: Type.Optional(count(0, "`Strict-Transport-Security`; 0 sends none. Defaults to 31536000 (one year).")),
});

/** What pages of other origins may do (Fetch standard, CORS). */
export const Cors = block({
  origins: texts("Origins of pages that may call, like https://app.example.org; they are also allowed as `Origin`."),
  headers: Type.Optional(texts("Request headers besides those of MCP. Defaults to none.")),
  credentials: Type.Optional(Type.Boolean({ description: "Cookies and client certificates. Defaults to false." })),
  maxAgeSeconds: Type.Optional(count(0, "How long a browser keeps the answer. Defaults to 600.")),
});

/** Bounds on connections, and what stands in front of the gateway. */
export const Connections = block({
  headersTimeoutMs: Type.Optional(count(1, "A request's headers must have come. Defaults to 15000.")),
  requestTimeoutMs: Type.Optional(count(1, "A request must have come, body included. Defaults to 60000.")),
  keepAliveTimeoutMs: Type.Optional(
    count(1, "An idle connection is closed; clients are told to close it after 5000 themselves. Defaults to 65000."),
  ),
  maxHeaderBytes: Type.Optional(count(1024, "Size of a request's headers. Defaults to 32768.")),
  maxHeaders: Type.Optional(count(8, "Number of a request's headers. Defaults to 100.")),
  maxConnections: Type.Optional(count(1, "Connections of this process. Defaults to 10000.")),
  maxBufferedBytes: Type.Optional(
    count(
      1024 * 1024,
      "Bytes that this process holds for its clients: messages that have not come whole, calls in flight, answers that are not read. Past it the connection that holds most is ended. Defaults to a quarter of the memory, of its worker, and at most half of the heap.",
    ),
  ),
  trustedProxies: Type.Optional(
    texts("Addresses or networks (10.0.0.0/8) whose `X-Forwarded-For` is believed. Defaults to none."),
  ),
  proxyProtocol: Type.Optional(
    Type.Boolean({
      description:
        "Connections begin with a PROXY protocol header (v1 or v2), from trusted proxies. Defaults to false.",
    }),
  ),
  proxyProtocolOptional: Type.Optional(
    Type.Boolean({
      description:
        "With `proxyProtocol`, peers that are no trusted proxies are served without a header. Defaults to false: they are cut off.",
    }),
  ),
});

/** Who did what, and what came of it. */
export const Audit = block({
  file: text(
    "JSON lines are appended to it, by all workers; readable by the gateway's user only. Refusals stand in a second file as well, `audit.refused.log` beside `audit.log`.",
  ),
  arguments: Type.Optional(
    Type.Enum(["digest", "content", "none"], {
      description:
        "What of a call's arguments is kept: their SHA-256, themselves (up to 16 KiB), nothing. Defaults to `digest`.",
    }),
  ),
  failClosed: Type.Optional(
    Type.Boolean({
      description:
        "A call that cannot be noted beforehand is refused, and `/ready` answers 503 meanwhile. Defaults to false.",
    }),
  ),
  refusalsPerMinute: Type.Optional(
    count(
      0,
      "Requests refused for their credential that are noted in a minute, a tenth of them from one address; and as many refused calls, a tenth of them of one caller. The others are one line with their number. Defaults to 300.",
    ),
  ),
  maxBytes: Type.Optional(count(1024, "Size at which the file rotates. Defaults to 104857600.")),
  maxFiles: Type.Optional(count(1, "Rotated files kept. Defaults to 10.")),
});

/** What a server's tools may look like, and whether they may change. */
export const Integrity = block({
  mode: Type.Optional(
    Type.Enum(["off", "warn", "block", "approve"], {
      description:
        "A tool that is not as it was first seen: `warn` logs and counts it, `block` takes it out until it is approved; " +
        "`approve` wants that for each tool before it is shown at all. Defaults to `off`.",
    }),
  ),
  pins: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: "Tool → `sha256:<64 hex digits>` of its definition; stands above what was first seen.",
    }),
  ),
  maxDescriptionChars: Type.Optional(count(1, "Longer descriptions take a tool out. Defaults to 16384.")),
});

export type Authorization = Static<typeof Authorization>;
export type RateLimiting = Static<typeof RateLimiting>;
export type ServerRateLimiting = Static<typeof ServerRateLimiting>;
export type Limit = NonNullable<RateLimiting["caller"]>;
export type Tls = Static<typeof Tls>;
export type Cors = Static<typeof Cors>;
export type Connections = Static<typeof Connections>;
export type Audit = Static<typeof Audit>;
export type Integrity = Static<typeof Integrity>;
