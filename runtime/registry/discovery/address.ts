import { isIPv6 } from "node:net";
import { defaults } from "../../config/defaults.ts";

/** How instances that are found by host and port are reached. */
export type Scheme = "http" | "https" | "ws" | "wss" | "tcp";

/** `http://10.0.0.7:8080/mcp`, `tcp://[fd00::7]:9000`. */
export function addressOf(scheme: Scheme, host: string, port: number, path: string | undefined): string {
  const authority = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return scheme === "tcp" ? `tcp://${authority}` : `${scheme}://${authority}${path ?? defaults.discovery.path}`;
}
