import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import type { Duplex, DuplexOptions } from "../listeners/duplex.ts";
import { duplexOver } from "../listeners/line-socket.ts";
import type { McpTarget } from "../listeners/target.ts";
import type { Params } from "../protocol/json-rpc.ts";
import { LineReader } from "../upstreams/line-reader.ts";
import { readInTurns, type Source } from "../upstreams/read-in-turns.ts";
import { leasedMethod, ownMethod, releasedMethod } from "./process-link.ts";

/** Whatever a worker's link says, it is this one's: who the client is has been checked before. */
const caller = "worker";

export interface ProcessHostOptions extends DuplexOptions {
  readonly targetOf: (server: string) => Omit<McpTarget, "caller"> | undefined;
  /** A lease is not needed any more. */
  readonly release: (server: string, owner: string) => void;
}

/**
 * The supervisor's side of the links: lends the servers' processes to the workers. A lease outlives the link that held it, so a session
 * keeps its process when its worker dies and another one goes on; a process that nobody asks for is ended by its fleet.
 */
export class ProcessHost {
  readonly #options: ProcessHostOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The last link that spoke for each lease: an older one gives nothing back. */
  readonly #holders = new Map<string, Socket>();

  constructor(options: ProcessHostOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#server.once("error", reject).listen(path, resolve));
    await chmod(path, 0o600);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    let link: { readonly server: string; readonly duplex: Duplex } | undefined;
    let owner: string | undefined;
    const lines = new LineReader(
      (line) => {
        const method = link === undefined ? undefined : ownMethod(line);
        if (link === undefined) link = this.#begin(socket, line, flow);
        else if (method === leasedMethod) {
          owner = ownerIn(line);
          link.duplex.leasedTo(owner);
          this.#holders.set(`${link.server} ${owner}`, socket);
        } else if (method === releasedMethod) this.#release(socket, link.server, owner);
        else link.duplex.receive(line);
      },
      () => socket.destroy(),
    );
    this.#sockets.add(socket);
    const flow = readInTurns(socket, (chunk) => lines.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      lines.close();
      this.#sockets.delete(socket);
      const lease = `${link?.server} ${owner}`;
      if (this.#holders.get(lease) === socket) this.#holders.delete(lease);
      link?.duplex.closed();
    });
  }

  #begin(socket: Socket, line: string, flow: Source) {
    const { server } = JSON.parse(line) as { server: string };
    const target = this.#options.targetOf(server);
    if (target === undefined) {
      socket.destroy();
      return undefined;
    }
    return { server, duplex: duplexOver(socket, this.#options, { ...target, caller }, flow) };
  }

  #release(socket: Socket, server: string, owner: string | undefined): void {
    if (owner !== undefined && this.#holders.get(`${server} ${owner}`) === socket) this.#options.release(server, owner);
  }
}

function ownerIn(line: string): string {
  return (JSON.parse(line) as { params: Params }).params.owner as string;
}
