import type * as pulumi from "@pulumi/pulumi";
import type { GatewayAwsArgs } from "../aws/args.ts";
import type { GatewayDockerArgs } from "../docker/args.ts";
import type { GatewayKubernetesArgs } from "../kubernetes/gateway-args.ts";
import type { GatewaySystemdArgs } from "../systemd/args.ts";
import type { GatewayAuthArgs } from "./auth-args.ts";
import type { GatewayContainerArgs, GatewayScalingArgs } from "./container-args.ts";
import type {
  GatewayAuditArgs,
  GatewayAuthorizationArgs,
  GatewayConnectionsArgs,
  GatewayCorsArgs,
  GatewayRateLimitingArgs,
  GatewayTlsArgs,
} from "./security-args.ts";

/** The `process` platform's own block of a gateway. */
export interface GatewayProcessArgs {
  /** Folder of the daemon; its fleets name the same one. Defaults to one per project and stack under the user's state folder. Plain, because it decides which gateway is meant. */
  stateDirectory?: string;
}

/** A key that seals session ids. */
export interface GatewaySessionKeyArgs {
  /** Key id, part of every session id. */
  id: pulumi.Input<string>;
  /** A reference to 32 bytes in base64: `${NAME}` or `file:/path`. */
  key: pulumi.Input<string>;
}

/** Client sessions. */
export interface GatewaySessionArgs {
  /** The first seals, all open. Defaults to one that is made once and kept in the state folder. */
  keys?: pulumi.Input<pulumi.Input<GatewaySessionKeyArgs>[]>;
  /** Defaults to 3600000 (one hour). */
  idleTimeoutMs?: pulumi.Input<number>;
  /** Defaults to 86400000 (one day). */
  maxAgeMs?: pulumi.Input<number>;
  /** Live sessions kept in memory. Defaults to 10000. */
  maxSessions?: pulumi.Input<number>;
  /** The same for each caller, who loses sessions of its own only. Defaults to 1000. */
  maxSessionsPerCaller?: pulumi.Input<number>;
  /** How long sessions with an instance of their own may stay on the old server after it has changed, in milliseconds. With 0 they lose it at once. Defaults to 600000 (ten minutes). */
  drainMs?: pulumi.Input<number>;
}

/** Structured logs. */
export interface GatewayLogArgs {
  /** `trace`, `debug`, `info`, `warn`, `error` or `silent`. Defaults to `info`. */
  level?: pulumi.Input<string>;
  /** Size in bytes at which the file rotates. Defaults to 10485760. */
  maxBytes?: pulumi.Input<number>;
  /** Rotated files kept. Defaults to 5. */
  maxFiles?: pulumi.Input<number>;
}

/** What gateways share, so that each knows what another one has learnt. */
export interface GatewaySharedArgs {
  /** `redis://host:port` or `rediss://…`; a reference that the gateway resolves when it holds a password: `${NAME}` or `file:/path`. */
  redis: pulumi.Input<string>;
  /** Another Redis for kept answers, so that they never push the counts of limits out. Defaults to `redis`, over a connection of its own. */
  cacheRedis?: pulumi.Input<string>;
  /** Password of both, where their URLs have none; a reference that the gateway resolves. Defaults to none. */
  password?: pulumi.Input<string>;
  /** Begins every key. Defaults to `mcp-fleet`. */
  prefix?: pulumi.Input<string>;
  /** Larger answers stay in the gateway that asked for them, in bytes. Defaults to 102400. */
  maxAnswerBytes?: pulumi.Input<number>;
}

/** Metrics as lines in CloudWatch's Embedded Metric Format. */
export interface GatewayMetricsLogArgs {
  /** Namespace of the metrics in CloudWatch. */
  namespace: pulumi.Input<string>;
  /** A line for each server so often, in seconds. Defaults to 60. */
  seconds?: pulumi.Input<number>;
}

/** A fleet that a gateway serves. Every `MCPServerFleet` is one; other languages give its name. */
export interface GatewayFleetArgs {
  /** The fleet's `serverName` output, which makes the gateway wait for the fleet. */
  serverName: pulumi.Input<string>;
  /** The fleet's `configuration` output: how its instances are reached. Not read on `process`, where fleet and gateway share a folder. */
  configuration?: pulumi.Input<string>;
}

/** Arguments of `MCPGateway`. */
export interface MCPGatewayArgs {
  /** Where it runs: `process` or another one of `Platform`. Defaults to `process`. Plain, because it decides which resources exist. */
  platform?: string;
  /** The fleets that it serves: `MCPServerFleet` components, at least one. */
  fleets: GatewayFleetArgs[];
  /** Address to listen on. Defaults to 127.0.0.1; any other one needs `auth`. */
  host?: pulumi.Input<string>;
  /** Port to listen on. Defaults to 8080; 0 takes a free one. */
  port?: pulumi.Input<number>;
  /** Names accepted in the Host header besides loopback ones and `host`. */
  allowedHosts?: pulumi.Input<pulumi.Input<string>[]>;
  /** Browser origins accepted besides loopback ones. */
  allowedOrigins?: pulumi.Input<pulumi.Input<string>[]>;
  /** Largest request body in bytes. Defaults to 4194304. */
  maxBodyBytes?: pulumi.Input<number>;
  /** Answers of `/mcp` from so many bytes on are compressed for clients that take that; 0 compresses none. Defaults to 65536. */
  compressFromBytes?: pulumi.Input<number>;
  /** Processes that share the port: a number, or `auto` for one for each core of the CPU quota. Defaults to 1. */
  workers?: pulumi.Input<string>;
  /** `/mcp` shows only `find_tools`, `describe_tools` and `call_tool`. Defaults to false. */
  toolSearch?: pulumi.Input<boolean>;
  /** How long calls in flight may go on when it stops, in milliseconds. Defaults to what one call of its fleets may take on `kubernetes`, at least 10000 and at most 590000; elsewhere to 10000. */
  drainMs?: pulumi.Input<number>;
  /** Of that, how long clients with open connections are told to connect anew before these are closed, in milliseconds. Defaults to 5000 on `kubernetes`, elsewhere to 0. */
  lingerMs?: pulumi.Input<number>;
  /** Who may call. Without it only this machine can. */
  auth?: GatewayAuthArgs;
  /** Who may use what. Defaults to everything for everyone who may call. */
  authorization?: GatewayAuthorizationArgs;
  /** Bounds on calls. Defaults to none. */
  rateLimiting?: GatewayRateLimitingArgs;
  /** TLS of its own port; on `aws` the load balancer has it. Defaults to none. */
  tls?: GatewayTlsArgs;
  /** What pages of other origins may do. Defaults to nothing. */
  cors?: GatewayCorsArgs;
  /** A log of who did what. Defaults to none. */
  audit?: GatewayAuditArgs;
  /** Bounds on connections, and what stands in front of the gateway. */
  connections?: GatewayConnectionsArgs;
  /** Client sessions. */
  session?: GatewaySessionArgs;
  /** Structured logs. */
  log?: GatewayLogArgs;
  /** Metrics as lines on the standard output, of which CloudWatch makes metrics. Defaults to `mcp-fleet/<aws.host>` on `aws`, elsewhere to none. */
  metricsLog?: GatewayMetricsLogArgs;
  /** Redis, for what gateways share. Defaults to nothing. */
  shared?: GatewaySharedArgs;
  /** Labels or tags of every resource, as the platform calls them; `process` has nothing to tag. Defaults to none. */
  tags?: Record<string, pulumi.Input<string>>;
  /** The `process` platform's own block. */
  process?: GatewayProcessArgs;
  /** What runs in its containers, on the platforms that run containers; on `systemd`, the bounds of its service. */
  container?: GatewayContainerArgs;
  /** How many replicas, on the platforms that run containers. */
  scaling?: GatewayScalingArgs;
  /** Secrets by name, on every platform but `process`: kept where the platform keeps secrets, and encrypted in the state. `auth` and `session` refer to one as `file:/run/secrets/mcp-fleet/<name>`. Plain names, because they decide which resources exist. */
  secrets?: Record<string, pulumi.Input<string>>;
  /** The `systemd` platform's own block. */
  systemd?: GatewaySystemdArgs;
  /** The `docker` platform's own block. */
  docker?: GatewayDockerArgs;
  /** The `kubernetes` platform's own block. */
  kubernetes?: GatewayKubernetesArgs;
  /** The `aws` platform's own block. */
  aws?: GatewayAwsArgs;
}
