/** Server types: four presets for real public MCP servers, and `custom`. */
export const ServerType = {
  Context7: "context7",
  Sequential: "sequential",
  Magic: "magic",
  Playwright: "playwright",
  Custom: "custom",
} as const;
export type ServerType = (typeof ServerType)[keyof typeof ServerType];

/** Who may share one upstream session or process (architecture: isolation). */
export const Isolation = { Shared: "shared", Caller: "caller", Session: "session" } as const;
export type Isolation = (typeof Isolation)[keyof typeof Isolation];

/** Isolation of each type where a configuration says none. */
export const usualIsolation: Readonly<Record<ServerType, Isolation>> = Object.freeze({
  context7: Isolation.Shared,
  // It keeps the chain of thoughts of its whole life.
  sequential: Isolation.Session,
  magic: Isolation.Shared,
  // It keeps one browser.
  playwright: Isolation.Session,
  // Whether it keeps anything, nobody knows.
  custom: Isolation.Session,
});

/** How the gateway reaches an instance: `http` is Streamable HTTP, `sse` the HTTP+SSE of 2024-11-05. */
export const UpstreamProtocol = { Stdio: "stdio", Http: "http", Sse: "sse", Ws: "ws", Tcp: "tcp" } as const;
export type UpstreamProtocol = (typeof UpstreamProtocol)[keyof typeof UpstreamProtocol];

/** A fleet's name: part of paths and of federated tool names, hence short and plain. */
export const serverNamePattern = "^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$";

const exactVersion = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

/**
 * Is it one version of a package (Semantic Versioning 2.0.0, without build metadata)? Tags, ranges, aliases (`npm:`),
 * files and repositories are not: what they stand for changes, or is another package.
 */
export function isExactVersion(version: string): boolean {
  return version.length <= 64 && exactVersion.test(version);
}

/** The protocol that the scheme of an endpoint stands for. */
export function protocolOf(endpoint: string): UpstreamProtocol {
  if (/^wss?:/.test(endpoint)) return "ws";
  return endpoint.startsWith("tcp:") ? "tcp" : "http";
}

/** An address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === "127.0.0.1" || host === "localhost" || host === "::1";
}
