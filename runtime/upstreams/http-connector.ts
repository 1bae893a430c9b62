import type { Pool } from "undici";
import type { GatewayIdentity } from "./handshake.ts";
import { HttpSession } from "./http-session.ts";
import type { Connector, SessionEvents, UpstreamSession } from "./upstream-session.ts";

export interface HttpConnectorOptions {
  readonly fleet: string;
  readonly endpoints: readonly string[];
  readonly identity: GatewayIdentity;
  readonly connectMs: number;
}

/** Connections kept to one origin (measured best between 16 and 64). */
const connectionsPerOrigin = 32;

/** Sessions over Streamable HTTP with fixed endpoints, taken in turn; one connection pool per origin. */
export class HttpConnector implements Connector {
  readonly source: string;
  readonly #options: HttpConnectorOptions;
  readonly #urls: readonly URL[];
  readonly #pools = new Map<string, Pool>();
  #turn = 0;

  constructor(options: HttpConnectorOptions) {
    this.#options = options;
    this.#urls = options.endpoints.map((endpoint) => new URL(endpoint));
    this.source = options.endpoints.join(", ");
  }

  async connect(events: SessionEvents): Promise<UpstreamSession> {
    const { fleet, identity, connectMs } = this.#options;
    const url = this.#urls[this.#turn % this.#urls.length] as URL;
    this.#turn += 1;
    return HttpSession.open({ fleet, url, dispatcher: await this.#poolFor(url.origin), events }, identity, connectMs);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  async #poolFor(origin: string): Promise<Pool> {
    // Loaded with the first HTTP server: a gateway of local processes saves 12 MB.
    const { Pool } = await import("undici");
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      pool = new Pool(origin, { connections: connectionsPerOrigin, connect: { timeout: this.#options.connectMs } });
      this.#pools.set(origin, pool);
    }
    return pool;
  }
}
