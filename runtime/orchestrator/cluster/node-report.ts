import { serverNamePattern } from "../../config/schema/index.ts";
import { publicKeyPattern } from "./node-keys.ts";
import { wrongNodeUrl } from "./node-url.ts";

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
  /** Milliseconds between two heartbeats, 1000 to 300000: a node that misses three is taken for dead. */
  readonly heartbeatMs: number;
  /** X25519, for the tokens of calls between two nodes. */
  readonly publicKey: string;
  readonly servers: readonly ReportedServer[];
}

/** A node as the coordinator knows it. */
export interface ClusterMember extends NodeReport {
  /** Milliseconds since its last heartbeat. */
  readonly ageMs: number;
}

/** Heartbeats that a node may miss. */
export const missedHeartbeats = 3;
/** Most servers of one node's report. */
export const maxServers = 64;
/** Milliseconds between heartbeats. */
export const heartbeatBounds = { least: 1000, most: 300_000 } as const;
/** Bytes of a report: `maxServers` with every text at its longest, and room to spare. */
export const maxReportBytes = 32 * 1024;

const nodeIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const namePattern = new RegExp(serverNamePattern);
const longestText = 100;
const largestCount = 1_000_000;

/** The text of what is wrong with a node's id, or undefined. */
export function wrongNodeId(id: unknown): string | undefined {
  if (typeof id === "string" && nodeIdPattern.test(id)) return undefined;
  return "a node's id must have 1 to 64 letters, digits, dots, hyphens and underscores";
}

/** A report with the members that are known and nothing else, or the text of what is wrong with it. */
export function reportOf(value: unknown, nodeId: string): NodeReport | string {
  if (typeof value !== "object" || value === null) return "the report is no object";
  const { url, heartbeatMs, publicKey, servers, ...rest } = value as Partial<NodeReport>;
  if (rest.nodeId !== undefined && rest.nodeId !== nodeId) return '"nodeId" must be the id in the path';
  if (url !== null && typeof url !== "string") return '"url" must be an http(s) URL or null';
  const wrongUrl = url === null ? undefined : wrongNodeUrl(url);
  if (wrongUrl !== undefined) return wrongUrl;
  const { least, most } = heartbeatBounds;
  if (!isCount(heartbeatMs, most) || heartbeatMs < least)
    return `"heartbeatMs" must be a whole number from ${least} to ${most}`;
  if (typeof publicKey !== "string" || !publicKeyPattern.test(publicKey))
    return '"publicKey" must be an X25519 key, 32 bytes in base64url';
  if (!Array.isArray(servers) || servers.length > maxServers)
    return `"servers" must be a list of at most ${maxServers}`;
  const known = servers.map(serverOf);
  const wrong = known.indexOf(undefined);
  if (wrong >= 0) return `"servers[${wrong}]" must have name, type, version, health, instances and inFlight`;
  return { nodeId, url, heartbeatMs, publicKey, servers: known as ReportedServer[] };
}

function serverOf(value: unknown): ReportedServer | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { name, type, version, health, instances, inFlight } = value as Partial<ReportedServer>;
  const { ready, total, max } = instances ?? {};
  const texts = [type, version, health].every((text) => typeof text === "string" && text.length <= longestText);
  const counts = [ready, total, max, inFlight].every((count) => isCount(count, largestCount));
  if (typeof name !== "string" || !namePattern.test(name) || !texts || !counts) return undefined;
  return { name, type, version, health, instances: { ready, total, max }, inFlight } as ReportedServer;
}

const isCount = (value: unknown, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
