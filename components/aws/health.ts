/** What the image of mcp-fleet runs to ask itself whether it is alive: the HEALTHCHECK of runtime/Dockerfile, which ECS does not read. */
export const hostHealthCommand: readonly string[] = ["/usr/local/bin/node", "/app/lib/bundle/healthcheck.js"];
