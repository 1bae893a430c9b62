import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { ResolvedGateway } from "../config/index.ts";
import { type FrontDoor, listenOn } from "./front-door.ts";
import { hostInUrl } from "./host-in-url.ts";
import { listenForLines, type TcpListener } from "./tcp.ts";

/**
 * How a process stands to another one at the same address: it lets another take over from it (`first`), or takes over from
 * one (`next`) and listens only when it is told to.
 */
export type Succession = "first" | "next";

export interface PortsOptions {
  readonly gateway: ResolvedGateway;
  readonly door: FrontDoor;
  readonly tcp: TcpListener;
  /** Workers of one gateway listen at the same port. */
  readonly worker: boolean;
  /** Defaults to an address that nobody else can listen at. */
  readonly succession?: Succession | undefined;
  /** Descriptor of a socket that listens already, in place of host and port. */
  readonly socket?: number | undefined;
  /** Has it an HTTP port? */
  readonly listen: boolean;
}

const loopback = "127.0.0.1";

/** The ports at which clients come in: HTTP, and newline-delimited JSON-RPC where it is on. */
export class Ports {
  readonly #options: PortsOptions;
  #url: string | undefined;
  #tcpPort: number | undefined;

  constructor(options: PortsOptions) {
    this.#options = options;
  }

  /** `http://127.0.0.1:8080`; undefined until it listens. */
  get url(): string | undefined {
    return this.#url;
  }

  get tcpPort(): number | undefined {
    return this.#tcpPort;
  }

  /** Rejects with ADDRESS_IN_USE. */
  async open(): Promise<void> {
    const { gateway, door, tcp, worker, succession, socket, listen } = this.#options;
    const { host, tls, listeners } = gateway;
    const claims = succession === "first" && !worker && socket === undefined;
    if (listen) {
      const wanted = claims ? await claimPort(host, gateway.port) : gateway.port;
      const port = await door.listen(host, wanted, worker || succession !== undefined, socket);
      this.#url = `${tls === undefined ? "http" : "https"}://${hostInUrl(host)}:${port}`;
    }
    if (listeners.tcp !== undefined) {
      const wanted = claims ? await claimTcpPort(listeners.tcp.port) : listeners.tcp.port;
      // Workers get one free port from node:cluster, where none is named.
      this.#tcpPort = await tcp.listen(loopback, wanted, succession !== undefined && wanted !== 0);
    }
  }
}

/**
 * Makes sure that nobody else listens there, which processes that share the port would not notice; 0 finds a free one.
 * Rejects with ADDRESS_IN_USE.
 */
export const claimPort = (host: string, port: number): Promise<number> =>
  claim((server) => listenOn(server, host, port, false));

/** The same for the port of `gateway.listeners.tcp`. */
export const claimTcpPort = (port: number): Promise<number> =>
  claim((server) => listenForLines(server, loopback, port, false));

async function claim(listen: (server: Server) => Promise<number>): Promise<number> {
  const server = createServer();
  const claimed = await listen(server);
  server.close();
  await once(server, "close");
  return claimed;
}
