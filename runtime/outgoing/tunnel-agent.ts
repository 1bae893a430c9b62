import { Agent, type ClientRequestArgs } from "node:http";
import { isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { openTunnel } from "./tunnel.ts";

/** Opens each connection of Node's HTTP client through one proxy; for libraries that use that client (ws). */
export class TunnelAgent extends Agent {
  readonly #proxy: URL;
  readonly #secure: boolean;

  constructor(proxy: URL, target: URL) {
    super({ keepAlive: false });
    this.#proxy = proxy;
    this.#secure = target.protocol === "wss:" || target.protocol === "https:";
    // The client asks an agent for the scheme that it is for.
    Object.assign(this, { protocol: this.#secure ? "https:" : "http:" });
  }

  override createConnection(
    options: ClientRequestArgs & ConnectionOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): null {
    const host = String(options.host);
    const opened = (error: Error | undefined, socket: Socket) => {
      if (error !== undefined || !this.#secure) {
        callback?.(error ?? null, socket);
        return;
      }
      const servername = options.servername || (isIP(host) === 0 ? host : "");
      const secure = connectTls({ ...options, path: undefined, socket, servername } as ConnectionOptions);
      callback?.(null, secure);
    };
    openTunnel(this.#proxy, { host, port: Number(options.port) || (this.#secure ? 443 : 80) }, opened);
    return null;
  }
}
