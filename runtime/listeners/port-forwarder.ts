import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { listenAt } from "./shared-port.ts";

export interface PortForwarderOptions {
  readonly host: string;
  /** 0 takes one that is free. */
  readonly port: number;
  /** Name and port of what stands behind; the name can have several addresses while one takes over from another. */
  readonly to: { readonly host: string; readonly port: number };
  /** How long a connection waits for an address that accepts it, in milliseconds. Defaults to 10,000. */
  readonly patienceMs?: number;
  /** Defaults to the system's look-up. */
  readonly addresses?: (host: string) => Promise<readonly string[]>;
}

/** As many as a gateway takes by default. */
const maxConnections = 10_000;
const pauseMs = 100;
/** An address that does not answer at all: the machine behind it has gone. */
const connectMs = 1000;

/**
 * Keeps a port open while what stands behind it is replaced: each connection goes to an address that accepts it, with its
 * client's address in front (PROXY protocol, version 1). A connection that nothing accepts waits for a while.
 */
export class PortForwarder {
  readonly #options: PortForwarderOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #abort = new AbortController();
  /** The address that accepted last. */
  #current: string | undefined;

  constructor(options: PortForwarderOptions) {
    this.#options = options;
    const settings = { allowHalfOpen: true, noDelay: true, pauseOnConnect: true };
    this.#server = createServer(settings, (socket) => void this.#forward(socket));
    this.#server.maxConnections = maxConnections;
  }

  /** Resolves with the port. Rejects when it is taken. */
  listen(): Promise<number> {
    const { host, port } = this.#options;
    return listenAt(this.#server, { host, port, shared: false }, (error) => error as Error);
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    this.#abort.abort();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #forward(client: Socket): Promise<void> {
    this.#keep(client);
    const behind = await this.#connect(client).catch(() => undefined);
    if (behind === undefined || client.destroyed) {
      client.destroy();
      behind?.destroy();
      return;
    }
    behind.write(proxyHeader(client));
    // A connection that breaks on one side breaks on the other.
    client.on("close", () => behind.destroy());
    behind.on("close", () => client.destroy());
    client.pipe(behind);
    behind.pipe(client);
  }

  /** Resolves with undefined when nothing accepts, or the client has gone. */
  async #connect(client: Socket): Promise<Socket | undefined> {
    const { to, patienceMs = 10_000, addresses = systemAddresses } = this.#options;
    const until = performance.now() + patienceMs;
    for (;;) {
      const found = await addresses(to.host).catch(() => []);
      // One gateway at a time: a session that came to both by turns would meet two processes of its server.
      for (const address of found.toSorted((a, b) => Number(b === this.#current) - Number(a === this.#current))) {
        const socket = await this.#attempt(address, to.port);
        if (socket === undefined) continue;
        this.#current = address;
        return socket;
      }
      if (client.destroyed || performance.now() > until) return undefined;
      await sleep(pauseMs, undefined, { signal: this.#abort.signal });
    }
  }

  async #attempt(host: string, port: number): Promise<Socket | undefined> {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    this.#keep(socket);
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${connectMs} ms`)), connectMs);
    try {
      await once(socket, "connect");
      return socket;
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // It is closed then.
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** Section 2.1 of the specification of haproxy.org. */
function proxyHeader({ remoteAddress, remoteFamily, remotePort, localAddress, localPort }: Socket): string {
  const family = remoteFamily === "IPv6" ? "TCP6" : "TCP4";
  return `PROXY ${family} ${remoteAddress} ${localAddress} ${remotePort} ${localPort}\r\n`;
}
