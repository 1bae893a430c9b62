import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const metadata = "/.well-known/oauth-protected-resource";

/**
 * A reverse proxy that has one host for several gateways, each behind a path prefix that it removes. Metadata of protected resources
 * goes to the gateway of the prefix as it came (RFC 9728, section 3.1).
 */
export class SharedHost {
  readonly url: string;
  readonly #http: Server;
  /** URLs of gateways by prefix, `""` for the rest. */
  readonly #behind = new Map<string, string>();

  private constructor(http: Server) {
    this.#http = http;
    this.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    http.on("request", (incoming, outgoing) => {
      const path = incoming.url as string;
      const isMetadata = path.startsWith(metadata);
      const asked = isMetadata ? path.slice(metadata.length) : path;
      const prefix = [...this.#behind.keys()].find((one) => one !== "" && asked.startsWith(`${one}/`)) ?? "";
      const target = new URL(this.#behind.get(prefix) as string);
      const { method, headers } = incoming;
      const forwarded = request(
        {
          host: target.hostname,
          port: target.port,
          method,
          headers,
          path: isMetadata ? path : path.slice(prefix.length),
        },
        (answer) => {
          outgoing.writeHead(answer.statusCode as number, answer.headers);
          outgoing.flushHeaders();
          answer.pipe(outgoing);
        },
      );
      forwarded.on("error", () => outgoing.destroy());
      outgoing.on("close", () => forwarded.destroy());
      incoming.pipe(forwarded);
    });
  }

  static async start(): Promise<SharedHost> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    return new SharedHost(http);
  }

  /** Puts a gateway behind a prefix, `""` for none. */
  add(prefix: string, gateway: string): void {
    this.#behind.set(prefix, gateway);
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}
