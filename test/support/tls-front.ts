import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Certificates } from "./certificates.ts";

/** Ends TLS in front of a server without it, and lets in only who has a certificate of the authority's. */
export class TlsFront {
  readonly port: number;
  /** Common name of each connection's certificate and the server name that it asked for, oldest first. */
  readonly seen: (readonly [client: string, serverName: string | false])[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** `to`: the port of the server, on 127.0.0.1. */
  static async start(certificates: Certificates, file: string, to: number, more = ""): Promise<TlsFront> {
    const { cert, key } = certificates.sign(file, "server", more);
    const [ca, pem, secret] = [certificates.ca, cert, key].map((path) => readFileSync(path));
    const server = createServer({ ca, cert: pem, key: secret, requestCert: true, rejectUnauthorized: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const front = new TlsFront(server);
    server.on("secureConnection", (socket) => front.#serve(socket, to));
    return front;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: TLSSocket, to: number): void {
    this.seen.push([String(socket.getPeerCertificate().subject.CN), socket.servername ?? false]);
    this.#sockets.add(socket);
    const plain = connect(to, "127.0.0.1");
    for (const [one, other] of [
      [socket, plain],
      [plain, socket],
    ] as const) {
      one.on("error", () => {}).on("close", () => other.destroy());
      one.pipe(other);
    }
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
