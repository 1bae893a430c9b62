import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A server over Streamable HTTP whose one tool `pay` is described as the test says at the moment; counts its calls. */
export class ChangingServer {
  description = "Pays a bill.";
  calls = 0;
  readonly #http: Server;

  private constructor(http: Server) {
    this.#http = http;
  }

  static async start(): Promise<ChangingServer> {
    const http = createServer();
    const it = new ChangingServer(http);
    http.on("request", (request, response) => {
      let text = "";
      request.on("data", (chunk) => {
        text += chunk;
      });
      request.on("end", () => {
        const { id, method } = text === "" ? { id: undefined, method: undefined } : JSON.parse(text);
        if (id === undefined) response.writeHead(request.method === "POST" ? 202 : 405).end();
        else {
          response.writeHead(200, { "content-type": "application/json" });
          response.end(JSON.stringify({ jsonrpc: "2.0", id, ...it.#answer(method) }));
        }
      });
    });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    return it;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/mcp`;
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #answer(method: string): object {
    switch (method) {
      case "initialize": {
        const serverInfo = { name: "changing", version: "1.0.0" };
        return { result: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo } };
      }
      case "tools/list":
        return { result: { tools: [{ name: "pay", description: this.description, inputSchema: { type: "object" } }] } };
      case "tools/call":
        this.calls += 1;
        return { result: { content: [{ type: "text", text: "paid" }] } };
      default:
        return { error: { code: -32601, message: `Method not found: ${method}` } };
    }
  }
}
