import type * as pulumi from "@pulumi/pulumi";
import type { Isolation, ServerType, UpstreamProtocol } from "../../runtime/config/schema/index.ts";
import type { FleetAwsArgs } from "../aws/args.ts";
import type { FleetDockerArgs } from "../docker/args.ts";
import type { FleetKubernetesArgs } from "../kubernetes/args.ts";
import type { RequirementArgs } from "../security-args.ts";
import type { FleetSystemdArgs } from "../systemd/args.ts";
import type { FleetContainerArgs } from "./container-args.ts";
import type { FleetCredentialsArgs } from "./credentials-args.ts";
import type { FleetDiscoveryArgs } from "./discovery-args.ts";
import type {
  FleetBatchingArgs,
  FleetCacheArgs,
  FleetCoalescingArgs,
  FleetPoolArgs,
  FleetQueueArgs,
} from "./performance-args.ts";
import type {
  FleetCircuitBreakerArgs,
  FleetConcurrencyArgs,
  FleetHealthCheckArgs,
  FleetLoadBalancerArgs,
  FleetRetryArgs,
} from "./resilience-args.ts";
import type {
  FleetIntegrityArgs,
  FleetLimitsArgs,
  FleetRateLimitingArgs,
  FleetSandboxArgs,
  FleetTlsArgs,
} from "./security-args.ts";

/** The `process` platform's own block of a fleet. */
export interface FleetProcessArgs {
  /** Executable of a `custom` server, absolute or found on PATH; it speaks MCP on its standard streams. */
  command?: pulumi.Input<string>;
  /** Its arguments. Defaults to none. */
  args?: pulumi.Input<pulumi.Input<string>[]>;
  /** Environment added to a minimal one. Values may be references such as `${NAME}` or `file:/path`, resolved by the gateway. */
  env?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Working directory. Defaults to a temporary folder of each instance. */
  cwd?: pulumi.Input<string>;
  /** Folder of the gateway that serves this fleet. Defaults to one per project and stack under the user's state folder. Plain, because it decides which gateway is meant. */
  stateDirectory?: string;
}

/** How many instances a fleet keeps. */
export interface FleetScalingArgs {
  /** Kept warm. Defaults to 1. */
  minInstances?: pulumi.Input<number>;
  /** Never more than this. Defaults to 4. */
  maxInstances?: pulumi.Input<number>;
  /** Calls in flight on each instance before another one is started; on `process` for shared instances, on `kubernetes` with KEDA, and on `aws`; refused where nothing scales by it. Defaults to 16. */
  targetInFlight?: pulumi.Input<number>;
  /** Processor use over what is reserved, in percent, above which an instance is added; on `kubernetes` and `aws`, where it defaults to 70. On `process` over one processor, for processes that all callers share; defaults to none there. */
  targetCpuPercent?: pulumi.Input<number>;
  /** Memory use over what is reserved, in percent, above which an instance is added; on `kubernetes`, `aws` and `process` (there over `limits.memoryMiB`, or the machine's memory divided by `maxInstances`). Defaults to none. Plain, because it decides what is measured. */
  targetMemoryPercent?: number;
}

/** Bounds in milliseconds. */
export interface FleetTimeoutsArgs {
  /** To start an instance or to wait for a free one. Defaults to 30000. */
  connectMs?: pulumi.Input<number>;
  /** For one call. Defaults to 120000. */
  requestMs?: pulumi.Input<number>;
  /** Each progress notification of the server begins `requestMs` again. Defaults to false. */
  resetOnProgress?: pulumi.Input<boolean>;
  /** For one call with `resetOnProgress`, however much progress it makes. Defaults to 3600000. */
  maxRequestMs?: pulumi.Input<number>;
  /** A session's own instance is ended after so long without a call. Defaults to 600000. */
  idleMs?: pulumi.Input<number>;
}

/** Which methods clients may call besides those of MCP. */
export interface FleetMethodsArgs {
  /** Methods that are no part of MCP and are relayed all the same, exact in case: `acme/search`. */
  allow: pulumi.Input<pulumi.Input<string>[]>;
}

/** Which tools a fleet shows, and under which other names they may be called. */
export interface FleetToolsArgs {
  /** Only these tools. Defaults to all. */
  allow?: pulumi.Input<pulumi.Input<string>[]>;
  /** All but these tools. Defaults to none. */
  deny?: pulumi.Input<pulumi.Input<string>[]>;
  /** Other name to the server's own tool name. Defaults to none. */
  aliases?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Arguments of `MCPServerFleet`. */
export interface MCPServerFleetArgs {
  /** Where it runs: `process` or another one of `Platform`. Defaults to `process`. Plain, because it decides which resources exist. */
  platform?: string;
  /** `context7`, `sequential`, `magic` or `playwright` for the public servers of that name, `custom` for any other. Plain, because it decides which other arguments are right. */
  type: ServerType;
  /** Exact version of a preset's package, like `1.2.3`; no tag or range. Defaults to the one that the preset pins. */
  version?: pulumi.Input<string>;
  /** The `process` platform's own block. */
  process?: FleetProcessArgs;
  /** What runs in its containers, on the platforms that run containers, or as its services on `systemd`. */
  container?: FleetContainerArgs;
  /** The `systemd` platform's own block. */
  systemd?: FleetSystemdArgs;
  /** The `docker` platform's own block. */
  docker?: FleetDockerArgs;
  /** The `kubernetes` platform's own block. */
  kubernetes?: FleetKubernetesArgs;
  /** The `aws` platform's own block. */
  aws?: FleetAwsArgs;
  /** URLs of Streamable HTTP servers that something else runs, for `custom`. */
  endpoints?: pulumi.Input<pulumi.Input<string>[]>;
  /** Where servers that something else runs are looked for, for `custom`, instead of `endpoints`. */
  discovery?: FleetDiscoveryArgs;
  /** How the gateway reaches an instance: `stdio`, `http`, `sse`, `ws` or `tcp`. Defaults to what its source speaks. */
  protocol?: pulumi.Input<UpstreamProtocol>;
  /** Who shares one instance: `shared` for all callers, `session` for one client session. Presets choose; `custom` defaults to `session`. */
  isolation?: pulumi.Input<Isolation>;
  /** How many instances. */
  scaling?: FleetScalingArgs;
  /** Bounds in milliseconds. */
  timeouts?: FleetTimeoutsArgs;
  /** Which tools are shown. */
  tools?: FleetToolsArgs;
  /** Which methods clients may call besides those of MCP. Defaults to none. */
  methods?: FleetMethodsArgs;
  /** How servers at `endpoints` let the gateway in. Defaults to nothing. */
  credentials?: FleetCredentialsArgs;
  /** Answers that are kept. */
  cache?: FleetCacheArgs;
  /** Identical calls that become one. */
  coalescing?: FleetCoalescingArgs;
  /** How many calls go at once. Defaults to as many as come. */
  queue?: FleetQueueArgs;
  /** Connections to each instance over HTTP. */
  pool?: FleetPoolArgs;
  /** Requests that go out together. Defaults to each by itself. */
  batching?: FleetBatchingArgs;
  /** Which of the ready instances takes a call. */
  loadBalancer?: FleetLoadBalancerArgs;
  /** When calls are stopped for a while. */
  circuitBreaker?: FleetCircuitBreakerArgs;
  /** Which calls that failed are made again. */
  retry?: FleetRetryArgs;
  /** How the gateway finds out whether an instance serves. */
  healthCheck?: FleetHealthCheckArgs;
  /** How many calls are under way at once, and how many wait. */
  concurrency?: FleetConcurrencyArgs;
  /** Other fleets of the gateway that take a call which this one cannot, in this order: their `serverName` outputs, so that they are there first. Defaults to none. */
  fallback?: pulumi.Input<pulumi.Input<string>[]>;
  /** Without a healthy instance of it the gateway is not ready, for all its fleets: every replica is taken out of service. Defaults to false. */
  required?: pulumi.Input<boolean>;
  /** What its callers must have, besides what the gateway wants. Defaults to nothing. */
  auth?: RequirementArgs;
  /** Bounds on its calls. Defaults to none. */
  rateLimiting?: FleetRateLimitingArgs;
  /** Whether its tools may change. Defaults to yes. */
  integrity?: FleetIntegrityArgs;
  /** TLS towards servers at `endpoints` or found by `discovery`. Defaults to what the system believes, and no client certificate. */
  tls?: FleetTlsArgs;
  /** What one instance may use. Defaults to no bound. */
  limits?: FleetLimitsArgs;
  /** What its processes may see and reach, on the platform `process`; elsewhere containers and services do that. Needs bubblewrap. Defaults to everything that the gateway may. */
  sandbox?: FleetSandboxArgs;
  /** Labels or tags of every resource, as the platform calls them; `process` has nothing to tag. Defaults to none. */
  tags?: Record<string, pulumi.Input<string>>;
}
