import type { ResolvedConfig } from "./config/index.ts";
import type { AdminOperation } from "./listeners/admin.ts";
import type { InstanceStatus } from "./registry/fleet-instances.ts";
import type { RefusedChange } from "./registry/fleet-registry.ts";
import type { FleetStatus } from "./registry/fleet-status.ts";
import type { Executor } from "./routing/executor.ts";
import type { AuditStatus } from "./security/audit-log.ts";

/** A gateway as operators see it. */
export interface GatewayStatus {
  readonly pid: number;
  readonly startedAt: string;
  /** `http://127.0.0.1:8080`; undefined when it does not listen. */
  readonly url: string | undefined;
  /** As `/ready` says it. */
  readonly ready: boolean;
  readonly servers: readonly FleetStatus[];
  /** With `gateway.audit`; of a gateway of several processes in the metrics only. */
  readonly audit?: AuditStatus | undefined;
}

/** A configuration that is in force, but for servers that have changed: each one takes its place when it is ready. */
export interface Applied {
  /** Resolves when no change is under way, with those that are not in force because their servers were not ready. Does not reject. */
  readonly changes: Promise<readonly RefusedChange[]>;
}

/** A gateway at work. */
export interface RunningGateway {
  readonly url: string | undefined;
  /** Port of the TCP listener; undefined without one. */
  readonly tcpPort: number | undefined;
  readonly executor: Executor;
  status(): GatewayStatus;
  /** What Prometheus reads. */
  metrics(): Promise<string>;
  /** Where the calls of a server may go, one by one; none for a server that is not there. */
  instances(server: string): readonly InstanceStatus[];
  /** What the admin listener passes on. */
  readonly operate: AdminOperation;
  /**
   * Takes over a new configuration. Rejects when its security settings cannot be used; those in force stay. Resolves before
   * changed servers serve.
   */
  apply(config: ResolvedConfig, secrets: readonly string[]): Promise<Applied>;
  /** A changed configuration is wrong, and the one in force stays: notes why, in its log and metrics. */
  kept(reason: string): void;
  /** Stops taking work, lets calls in flight end, then ends everything that was started. `lingerMs`: as in the configuration. */
  close(lingerMs?: number): Promise<void>;
}
