import type * as pulumi from "@pulumi/pulumi";
import type { RateLimitArgs } from "../security-args.ts";

/** Only tools that say this of themselves. A server may lie: pin its tools (`servers.<name>.integrity`). */
export interface GatewayAnnotationsArgs {
  /** Defaults to false where a tool does not say. */
  readOnlyHint?: pulumi.Input<boolean>;
  /** Defaults to true where a tool does not say. */
  destructiveHint?: pulumi.Input<boolean>;
  /** Defaults to false where a tool does not say. */
  idempotentHint?: pulumi.Input<boolean>;
  /** Defaults to true where a tool does not say. */
  openWorldHint?: pulumi.Input<boolean>;
}

/** One rule of who may use what. */
export interface GatewayRuleArgs {
  /** `allow` or `deny`; a rule that denies wins over every one that allows. */
  effect: pulumi.Input<string>;
  /** Names of callers, `*` stands for any text. Defaults to all. */
  callers?: pulumi.Input<pulumi.Input<string>[]>;
  /** Callers with one of these roles. Defaults to all. */
  roles?: pulumi.Input<pulumi.Input<string>[]>;
  /** Callers with all of these OAuth scopes. Defaults to all. */
  scopes?: pulumi.Input<pulumi.Input<string>[]>;
  /** Names of servers, with `*`. Defaults to all. */
  servers?: pulumi.Input<pulumi.Input<string>[]>;
  /** The server's own names of tools, with `*`. */
  tools?: pulumi.Input<pulumi.Input<string>[]>;
  /** Names of prompts, with `*`. */
  prompts?: pulumi.Input<pulumi.Input<string>[]>;
  /** URIs of resources, with `*`, compared in their normal form (RFC 3986, 6.2.2). */
  resources?: pulumi.Input<pulumi.Input<string>[]>;
  /** Methods that `servers.<name>.methods.allow` adds, with `*`. Without tools, prompts, resources and methods: all. */
  methods?: pulumi.Input<pulumi.Input<string>[]>;
  /** Only tools that say this of themselves. A server may lie: pin its tools (`servers.<name>.integrity`). */
  annotations?: GatewayAnnotationsArgs;
  /** An expression in CEL over `caller`, `server`, `tool` and `args`: `args.amount < 100 || "admin" in caller.roles`. */
  when?: pulumi.Input<string>;
}

/** Who may use what. */
export interface GatewayAuthorizationArgs {
  /** `enforce`, or `dry-run`, which logs and counts what would be refused, and lets it pass. Defaults to `enforce`. */
  mode?: pulumi.Input<string>;
  /** `deny` or `allow` what no rule speaks of. Defaults to `deny`. */
  default?: pulumi.Input<string>;
  /** Their order does not matter: denying ones come first. */
  rules: pulumi.Input<pulumi.Input<GatewayRuleArgs>[]>;
}

/** Bounds on calls of all servers. */
export interface GatewayRateLimitingArgs {
  /** All calls of one caller. */
  caller?: RateLimitArgs;
  /** All calls of one caller to one server. */
  server?: RateLimitArgs;
  /** All calls of one caller to one tool. */
  tool?: RateLimitArgs;
}

/** TLS of the gateway's own port. */
export interface GatewayTlsArgs {
  /** PEM file with the certificate and its chain; a changed file is taken over without a restart. */
  certFile: pulumi.Input<string>;
  /** PEM file with the private key. */
  keyFile: pulumi.Input<string>;
  /** PEM file with the authorities of client certificates (mTLS). Defaults to none. */
  clientCaFile?: pulumi.Input<string>;
  /** Connections without a client certificate are refused. Defaults to false. */
  requireClientCert?: pulumi.Input<boolean>;
  /** `TLSv1.2` or `TLSv1.3`. Defaults to `TLSv1.2`. */
  minVersion?: pulumi.Input<string>;
  /** `Strict-Transport-Security`; 0 sends none. Defaults to 31536000 (one year). */
  hstsSeconds?: pulumi.Input<number>;
}

/** What pages of other origins may do. */
export interface GatewayCorsArgs {
  /** Origins of pages that may call, like https://app.example.org; they are also allowed as `Origin`. */
  origins: pulumi.Input<pulumi.Input<string>[]>;
  /** Request headers besides those of MCP. Defaults to none. */
  headers?: pulumi.Input<pulumi.Input<string>[]>;
  /** Cookies and client certificates. Defaults to false. */
  credentials?: pulumi.Input<boolean>;
  /** How long a browser keeps the answer. Defaults to 600. */
  maxAgeSeconds?: pulumi.Input<number>;
}

/** Bounds on connections, and what stands in front of the gateway. */
export interface GatewayConnectionsArgs {
  /** A request's headers must have come. Defaults to 15000. */
  headersTimeoutMs?: pulumi.Input<number>;
  /** A request must have come, body included. Defaults to 60000. */
  requestTimeoutMs?: pulumi.Input<number>;
  /** An idle connection is closed. Defaults to 65000. */
  keepAliveTimeoutMs?: pulumi.Input<number>;
  /** Size of a request's headers. Defaults to 32768. */
  maxHeaderBytes?: pulumi.Input<number>;
  /** Number of a request's headers. Defaults to 100. */
  maxHeaders?: pulumi.Input<number>;
  /** Connections of this process. Defaults to 10000. */
  maxConnections?: pulumi.Input<number>;
  /** Bytes that one process holds for its clients; past it the connection that holds most is ended. Defaults to what the memory allows. */
  maxBufferedBytes?: pulumi.Input<number>;
  /** Addresses or networks (10.0.0.0/8) whose `X-Forwarded-For` is believed. Defaults to none. */
  trustedProxies?: pulumi.Input<pulumi.Input<string>[]>;
  /** Connections begin with a PROXY protocol header (v1 or v2), from trusted proxies. Defaults to false. */
  proxyProtocol?: pulumi.Input<boolean>;
  /** With `proxyProtocol`, peers that are no trusted proxies are served without a header. Defaults to false: they are cut off. */
  proxyProtocolOptional?: pulumi.Input<boolean>;
}

/** Who did what, and what came of it. */
export interface GatewayAuditArgs {
  /** JSON lines are appended to it; readable by the gateway's user only. */
  file: pulumi.Input<string>;
  /** What of a call's arguments is kept: their SHA-256, themselves, nothing. Defaults to `digest`. */
  arguments?: pulumi.Input<string>;
  /** A call that cannot be noted beforehand is refused. Defaults to false. */
  failClosed?: pulumi.Input<boolean>;
  /** Requests refused for their credential that are noted in a minute, a tenth of them from one address; the others are one line with their number. Defaults to 300. */
  refusalsPerMinute?: pulumi.Input<number>;
  /** Size at which the file rotates. Defaults to 104857600. */
  maxBytes?: pulumi.Input<number>;
  /** Rotated files kept. Defaults to 10. */
  maxFiles?: pulumi.Input<number>;
}
