/** Session-era ("legacy") revisions of MCP that the gateway speaks to clients, newest first. */
export const downstreamRevisions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;

/** Revisions that an upstream server may negotiate, newest first. */
export const upstreamRevisions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;

export type DownstreamRevision = (typeof downstreamRevisions)[number];

/** What clients speak that send no `MCP-Protocol-Version` header (2025-06-18, basic/transports). */
export const assumedRevision: DownstreamRevision = "2025-03-26";

export const isDownstreamRevision = (text: unknown): text is DownstreamRevision =>
  (downstreamRevisions as readonly unknown[]).includes(text);

/** Version negotiation (basic/lifecycle): the client's own revision when known, else the newest one. */
export function negotiate(requested: unknown): DownstreamRevision {
  return isDownstreamRevision(requested) ? requested : downstreamRevisions[0];
}

/** JSON-RPC arrays came with 2025-03-26 and left with 2025-06-18. */
export const allowsBatch = (revision: DownstreamRevision): boolean => revision === "2025-03-26";
