import { createServer, type Server as HttpServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { Server } from "../../runtime/config/schema/index.ts";
import type { RpcRequest } from "../../runtime/protocol/json-rpc.ts";

/** Sends the outcome of one request: `result`, or `error`. */
export type Reply = (outcome: object, status?: number) => void;

/** A server of 2026-07-28 whose test decides what is answered, and when; each path can be another fleet. */
export class StatelessServer {
  readonly #server: HttpServer;

  private constructor(server: HttpServer) {
    this.#server = server;
  }

  static async start(answer: (request: RpcRequest, path: string, reply: Reply) => unknown): Promise<StatelessServer> {
    const take = async (incoming: IncomingMessage, reply: (id: unknown, outcome: object, status: number) => void) => {
      const request = (await json(incoming)) as RpcRequest;
      answer(request, String(incoming.url), (outcome, status = 200) => reply(request.id, outcome, status));
    };
    const server = createServer((incoming, response) => {
      void take(incoming, (id, outcome, status) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new StatelessServer(server);
  }

  /** The fleet of a path, whose calls are tried once. */
  fleet(path: string, requestMs: number): Server {
    const { port } = this.#server.address() as AddressInfo;
    return {
      type: "custom",
      endpoints: [`http://127.0.0.1:${port}${path}`],
      isolation: "shared",
      timeouts: { requestMs },
      retry: { attempts: 1 },
    };
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
