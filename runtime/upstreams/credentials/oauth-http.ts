import { allowInsecureRequests, customFetch } from "oauth4webapi";
import { outgoingFetch } from "../../outgoing/outgoing-fetch.ts";
import type { Fetch } from "../upstream-tls.ts";
import { GuardedFetch } from "./guarded-fetch.ts";

const timeoutMs = 10_000;
/** Metadata and tokens are a few kilobytes. */
const maxBytes = 1024 * 1024;
const loopback = new Set(["127.0.0.1", "localhost", "[::1]"]);

export interface OAuthHttpOptions {
  /** Reaches the server itself, which may want a certificate. Defaults to `outgoingFetch`. */
  readonly ask?: Fetch | undefined;
  /** Reaches other hosts. Defaults to what keeps away from those nearer than the operator's. */
  readonly others?: Fetch;
  /** URLs that the operator has configured: the server's endpoints and the issuer. Defaults to all that are asked. */
  readonly named?: readonly string[];
}

/**
 * Requests to authorization servers and for metadata: never in the clear but on loopback, or to the very origin that the
 * operator configured that way; to no host that is nearer to the gateway than those that the operator has named; redirects
 * are not followed; time and size are bounded.
 */
export class OAuthHttp {
  /** Options for each request of oauth4webapi. */
  readonly options: {
    readonly [customFetch]: (url: string, init?: RequestInit) => Promise<Response>;
    /** The library's own rule knows no loopback; `fetch` below has the stricter one. */
    readonly [allowInsecureRequests]: true;
  };

  readonly #ask: Fetch;
  readonly #others: Fetch;
  readonly #named: ReadonlySet<string>;

  constructor({ ask = outgoingFetch, others, named }: OAuthHttpOptions = {}) {
    const urls = named?.map((url) => new URL(url));
    this.#ask = ask;
    this.#named = new Set(urls?.map(({ origin }) => origin));
    this.#others = others ?? (urls && new GuardedFetch(urls.map(({ hostname }) => hostname)).fetch) ?? outgoingFetch;
    this.options = { [customFetch]: (url, init) => this.fetch(url, init), [allowInsecureRequests]: true };
  }

  /** `server` is the origin of the server's own endpoint, to which the operator has allowed what it is. */
  async fetch(url: string, init: RequestInit = {}, server?: string): Promise<Response> {
    const { protocol, hostname, origin, host } = new URL(url);
    const inClear = protocol === "http:" && (loopback.has(hostname) || origin === server);
    if (protocol !== "https:" && !inClear) throw new Error(`${protocol}//${host} is not encrypted`);
    const bounds = { redirect: "manual", signal: AbortSignal.timeout(timeoutMs) } as const;
    const response = await this.#reaches(origin, server)(url, { ...init, ...bounds });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      // Leaving the loop ends the connection.
      if (size > maxBytes) throw new Error(`the answer of ${host} exceeds ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    const empty = response.status === 204 || response.status === 304;
    return new Response(empty ? null : Buffer.concat(chunks), { status: response.status, headers: response.headers });
  }

  #reaches(origin: string, server: string | undefined): Fetch {
    if (origin === server) return this.#ask;
    return this.#named.has(origin) ? outgoingFetch : this.#others;
  }
}
