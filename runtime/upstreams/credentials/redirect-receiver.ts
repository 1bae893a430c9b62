import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const loopback = "127.0.0.1";
const path = "/callback";
const page = (text: string) => `<!doctype html><meta charset="utf-8"><title>mcp-fleet</title><p>${text}</p>\n`;

/** Takes a browser's way back from an authorization server, on a port of loopback (RFC 8252, 7.3). */
export class RedirectReceiver {
  readonly redirectUri: string;
  readonly #http: Server;

  private constructor(http: Server) {
    this.#http = http;
    this.redirectUri = `http://${loopback}:${(http.address() as AddressInfo).port}${path}`;
  }

  /** Listens on the port, or on a free one when that is 0 or, unless `fixed`, taken. */
  static async start(port: number, fixed: boolean): Promise<RedirectReceiver> {
    const http = createServer();
    const listen = (wanted: number) =>
      new Promise<void>((resolve, reject) => {
        http.once("error", reject);
        http.listen(wanted, loopback, () => {
          http.off("error", reject);
          resolve();
        });
      });
    await listen(port).catch((error) => (fixed ? Promise.reject(error) : listen(0)));
    return new RedirectReceiver(http);
  }

  /** The URL with which a browser comes back; requests with another `state` are answered and otherwise ignored. */
  answer(state: string, timeoutMs: number): Promise<URL> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`nobody has logged in within ${timeoutMs / 1000} s`));
      const timer = setTimeout(late, timeoutMs);
      this.#http.on("request", (request, response) => {
        const url = new URL(request.url ?? "/", this.redirectUri);
        const ours = request.method === "GET" && url.pathname === path && url.searchParams.get("state") === state;
        response.writeHead(ours ? 200 : 404, { "content-type": "text/html; charset=utf-8", connection: "close" });
        response.end(page(ours ? "You may close this window." : "There is nothing here."));
        if (!ours) return;
        clearTimeout(timer);
        resolve(url);
      });
    });
  }

  close(): void {
    this.#http.close();
    this.#http.closeIdleConnections();
  }
}
