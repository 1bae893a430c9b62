import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** An HTTP proxy that opens tunnels, and knows names that nobody else does. */
export class ConnectProxy {
  readonly port: number;
  /** Target and `Proxy-Authorization` of each tunnel that was asked for, oldest first. */
  readonly asked: (readonly [target: string, credentials: string | undefined])[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** `ports` has the local port of each `host:port`; with `credentials` as `user:password` others are refused. */
  static async start(ports: Readonly<Record<string, number>>, credentials?: string): Promise<ConnectProxy> {
    const server = createServer((_request, response) => response.writeHead(501).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new ConnectProxy(server);
    const wanted = credentials && `Basic ${Buffer.from(credentials).toString("base64")}`;
    server.on("connect", ({ url = "", headers }, socket: Socket) => {
      const said = headers["proxy-authorization"];
      proxy.asked.push([url, said]);
      const port = ports[url];
      if (wanted !== undefined && said !== wanted) socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      else if (port === undefined) socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      else {
        const to = connect(port, "127.0.0.1", () => {
          socket.write("HTTP/1.1 200 Connection Established\r\nvia: test\r\n\r\n");
          socket.pipe(to).pipe(socket);
        });
        for (const one of [socket, to]) {
          proxy.#sockets.add(one);
          one.on("error", () => {}).on("close", () => [socket, to].map((other) => other.destroy()));
        }
      }
    });
    return proxy;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
