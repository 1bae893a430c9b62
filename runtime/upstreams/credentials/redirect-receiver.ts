import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const loopback = "127.0.0.1";
const path = "/callback";
const page = (text: string) => `<!doctype html><meta charset="utf-8"><title>mcp-fleet</title><p>${text}</p>\n`;

/** A browser opens a few; others on this machine and pages are not to keep it from coming in. */
const maxConnections = 64;
const maxHeaderSize = 32 * 1024;
const patienceMs = 10_000;
const goodbyeMs = 500;

/** 200 for the way back that is waited for. */
function statusOf(method: string | undefined, url: URL | undefined, state: string): 200 | 400 | 404 {
  if (url === undefined) return 400;
  if (url.pathname !== path) return 404;
  return method === "GET" && url.searchParams.getAll("state").join("\n") === state ? 200 : 400;
}

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
    const http = createServer({ maxHeaderSize, headersTimeout: patienceMs, requestTimeout: patienceMs });
    http.maxConnections = maxConnections;
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

  /** The URL with which a browser comes back; requests with another `state`, and what is no path, are refused and otherwise ignored. */
  answer(state: string, timeoutMs: number): Promise<URL> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`nobody has logged in within ${timeoutMs / 1000} s`));
      const timer = setTimeout(late, timeoutMs);
      this.#http.on("request", (request, response) => {
        const url = this.#targetOf(request.url ?? "");
        const status = statusOf(request.method, url, state);
        response.writeHead(status, { "content-type": "text/html; charset=utf-8", connection: "close" });
        response.end(page(status === 200 ? "You may close this window." : "There is nothing here."));
        if (status !== 200 || url === undefined) return;
        clearTimeout(timer);
        resolve(url);
      });
    });
  }

  /** Only a path counts (RFC 9112, 3.2.1): `//`, `/\` and whole URLs name another host. */
  #targetOf(target: string): URL | undefined {
    const url = target.startsWith("/") ? URL.parse(target, this.redirectUri) : null;
    return url !== null && url.origin === new URL(this.redirectUri).origin ? url : undefined;
  }

  close(): void {
    this.#http.close();
    this.#http.closeIdleConnections();
    // The last answer still goes out.
    setTimeout(() => this.#http.closeAllConnections(), goodbyeMs).unref();
  }
}
