import type { Socket } from "node:net";
import { bareHost, bracketed } from "../host-name.ts";
import { proxyFor } from "./proxy-rules.ts";
import { openTunnel } from "./tunnel.ts";

/** What undici calls for each new connection of an agent. */
export type Connect = ReturnType<typeof import("../http-client.ts").buildConnector>;

/** The same through the proxy that the variables name for a target, if they name one. `timeoutMs` bounds the tunnel. */
export function throughProxy(connect: Connect, timeoutMs: number): Connect {
  return (options, callback) => {
    const { protocol, hostname, port } = options;
    const host = bareHost(hostname);
    let proxy: URL | undefined;
    try {
      proxy = proxyFor(new URL(`${protocol}//${bracketed(host)}:${port || defaultPort(protocol)}`));
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    if (proxy === undefined) {
      connect(options, callback);
      return;
    }
    const opened = (error: Error | undefined, socket: Socket) => {
      clearTimeout(timer);
      if (error !== undefined) callback(error, null);
      else if (protocol === "https:") connect({ ...options, httpSocket: socket }, callback);
      else callback(null, socket);
    };
    const tunnel = openTunnel(proxy, { host, port: Number(port || defaultPort(protocol)) }, opened);
    const timer = setTimeout(() => tunnel.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  };
}

/** For a new connection, and for the tunnel that it goes through. */
const usualMs = 10_000;

/** Opens connections of the process, through the proxies that the variables name. `timeoutMs` defaults to ten seconds. */
export async function outgoingConnector(timeoutMs = usualMs): Promise<Connect> {
  const { buildConnector } = await import("../http-client.ts");
  return throughProxy(buildConnector({ timeout: timeoutMs }), timeoutMs);
}

const defaultPort = (protocol: string): string => (protocol === "https:" ? "443" : "80");
