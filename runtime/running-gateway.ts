import type { ResolvedConfig } from "./config/index.ts";
import type { AdminOperation } from "./listeners/admin.ts";
import type { InstanceStatus } from "./registry/fleet-instances.ts";
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

/** A gateway at work. */
export interface RunningGateway {
  readonly url: string | undefined;
  /** Port of the TCP listener; undefined without one. */
  readonly tcpPort: number | undefined;
  readonly executor: Executor;
  status(): GatewayStatus;
  /** Where the calls of a server may go, one by one; none for a server that is not there. */
  instances(server: string): readonly InstanceStatus[];
  /** What the admin listener passes on. */
  readonly operate: AdminOperation;
  /** Takes over the fleets of a new configuration. Rejects when its security settings cannot be used; those in force stay. */
  apply(config: ResolvedConfig, secrets: readonly string[]): Promise<void>;
  /** Stops taking work, lets calls in flight end, then ends everything that was started. `lingerMs`: as in the configuration. */
  close(lingerMs?: number): Promise<void>;
}
