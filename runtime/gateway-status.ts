import type { FleetStatus } from "./registry/fleet.ts";
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
