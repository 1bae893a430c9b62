/** A server as a node of a cluster reports it. */
export interface ReportedServer {
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly health: string;
  readonly instances: { readonly ready: number; readonly total: number; readonly max: number };
  readonly inFlight: number;
}

/** What a node says of itself with each heartbeat. */
export interface NodeReport {
  readonly nodeId: string;
  /** Where other nodes may send it requests (`/api/v1/servers/…`); null when they may not. */
  readonly url: string | null;
  /** Milliseconds between two heartbeats: a node that misses three is taken for dead. */
  readonly heartbeatMs: number;
  readonly servers: readonly ReportedServer[];
}

/** A node as the coordinator knows it. */
export interface ClusterMember extends NodeReport {
  /** Milliseconds since its last heartbeat. */
  readonly ageMs: number;
}

/** Heartbeats that a node may miss. */
export const missedHeartbeats = 3;

/** Checks what came over the network; the text of what is wrong, or undefined. */
export function wrongReport(value: unknown): string | undefined {
  const report = value as Partial<NodeReport> | null;
  if (typeof report !== "object" || report === null) return "the report is no object";
  const { url, heartbeatMs, servers } = report;
  if (url !== null && (typeof url !== "string" || !/^https?:\/\//.test(url)))
    return '"url" must be an http(s) URL or null';
  if (!Number.isInteger(heartbeatMs) || (heartbeatMs as number) < 1 || (heartbeatMs as number) > 3_600_000)
    return '"heartbeatMs" must be a whole number from 1 to 3600000';
  if (!Array.isArray(servers) || servers.some((one) => typeof one?.name !== "string"))
    return '"servers" must be a list';
  return undefined;
}
