/** The identifiers (RFC 8707) of the gateway's MCP interfaces; each server's is below them. */
export interface ResourceUrls {
  readonly mcp: string;
  /** Undefined when `gateway.auth.oauth.resource` does not end with `/mcp`: then `/sse` has no identifier of its own. */
  readonly sse: string | undefined;
}

/** The identifiers that belong to `gateway.auth.oauth.resource`. `/sse` is beside `/mcp`, behind the same path prefix. */
export function resourceUrls(resource: string): ResourceUrls {
  const mcp = resource.replace(/\/$/, "");
  return { mcp, sse: mcp.endsWith("/mcp") ? mcp.replace(/mcp$/, "sse") : undefined };
}
