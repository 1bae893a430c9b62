import type { ResolvedServer } from "../config/index.ts";
import { FleetError } from "../errors.ts";
import { Exchange } from "../protocol/exchange.ts";
import { encodeRequest } from "../protocol/json-rpc.ts";
import { enveloped, modernRevision } from "../protocol/modern.ts";
import { RequestIds } from "../protocol/request-ids.ts";
import { CallerSessions } from "./caller-sessions.ts";
import { type Credentials, headersOfLines } from "./credentials/index.ts";
import { DuplexConnector, type Receive } from "./duplex-connector.ts";
import { type Era, EraVerdict, eraOf } from "./era-verdict.ts";
import { checkDescription, type GatewayIdentity, silentAt } from "./handshake.ts";
import { HttpEndpoint } from "./http-endpoint.ts";
import { isRedirect } from "./http-outcome.ts";
import { HttpSession } from "./http-session.ts";
import { HttpPool } from "./http1/index.ts";
import { headersOf, ModernHttpWire } from "./modern-http.ts";
import { ModernSession } from "./modern-session.ts";
import { openSse } from "./sse-link.ts";
import type { ConnectionUse, Connector, SessionEvents, UpstreamSession } from "./upstream-session.ts";
import type { UpstreamTls } from "./upstream-tls.ts";

export interface HttpConnectorOptions {
  readonly fleet: string;
  readonly endpoint: string;
  readonly identity: GatewayIdentity;
  readonly connectMs: number;
  readonly now: () => number;
  /** Bounds of its connections. */
  readonly pool: ResolvedServer["pool"];
  /** What requests carry so that the server lets them in. */
  readonly credentials?: Credentials | undefined;
  readonly tls?: UpstreamTls | undefined;
}

/** Sessions over Streamable HTTP with one endpoint, and the pool of their connections. */
export class HttpConnector implements Connector {
  readonly source: string;
  readonly #options: HttpConnectorOptions;
  readonly #url: URL;
  readonly #verdict: EraVerdict;
  readonly #ids = new RequestIds();
  #pool: HttpPool | undefined;

  constructor(options: HttpConnectorOptions) {
    this.#options = options;
    this.#url = new URL(options.endpoint);
    this.#verdict = new EraVerdict(options.now);
    this.source = options.endpoint;
  }

  get connections(): ConnectionUse | undefined {
    if (this.#pool === undefined) return undefined;
    const { total, idle, waiting } = this.#pool.statistics;
    return { busy: total - idle, max: this.#pool.maxConnections, waiting };
  }

  async connect(events: SessionEvents): Promise<UpstreamSession> {
    const { fleet, identity, now, tls } = this.#options;
    // What is wrong with its files is said here, where somebody hears it.
    tls?.options();
    const url = this.#url;
    const verdict = this.#verdict;
    const endpoint = this.#endpoint(url);
    const probed = verdict.legacy ? sessionEra : await this.#probe(endpoint);
    const era = probed ?? sessionEra;
    if (probed !== undefined) verdict.reached(probed);
    try {
      const session: UpstreamSession = era.modern
        ? new ModernSession(fleet, new ModernHttpWire(fleet, endpoint, events), events, identity, era.discovered, now)
        : await this.#openLegacy(url, endpoint, events).catch((error) =>
            noStreamableHttp(error) ? this.#overSse(url, events, error) : Promise.reject(error),
          );
      void session.ended.then((reason) => reason !== "closed" && verdict.forget());
      return session;
    } catch (error) {
      verdict.forget();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#pool?.close();
  }

  /** A session of the session era; where callers have credentials of their own, one for each. */
  async #openLegacy(url: URL, endpoint: HttpEndpoint, events: SessionEvents): Promise<UpstreamSession> {
    const { fleet, identity, connectMs, now, credentials } = this.#options;
    const own = await HttpSession.open(fleet, endpoint, events, identity, connectMs);
    if (credentials?.perCaller !== true) return own;
    const open = (caller: string) => HttpSession.open(fleet, this.#endpoint(url, caller), events, identity, connectMs);
    return new CallerSessions(own, { fleet, now, open });
  }

  #endpoint(url: URL, caller?: string): HttpEndpoint {
    const { fleet, connectMs, now, credentials, tls } = this.#options;
    const { maxConnections, idleTimeoutMs: idleMs, maxLifetimeMs } = this.#options.pool;
    this.#pool ??= new HttpPool({
      ...{ url, connectMs, maxConnections, idleMs, maxLifetimeMs },
      tls: tls && (() => tls.options()),
    });
    const whose = caller === undefined ? {} : { caller };
    return new HttpEndpoint({ fleet, url, pool: this.#pool, ids: this.#ids, now, credentials, ...whose });
  }

  /** A server that refuses `initialize` by POST may be one of 2024-11-05 (basic/transports, "Backwards Compatibility"). */
  #overSse(url: URL, events: SessionEvents, error: unknown): Promise<UpstreamSession> {
    const { connectMs, credentials, tls } = this.#options;
    // One link serves all callers, so it has the gateway's own credentials or none.
    if (credentials?.perCaller === true) return Promise.reject(error);
    const open = async (receive: Receive) => {
      const headers = headersOfLines(await credentials?.linesFor(url, undefined));
      return openSse(url, connectMs, receive, headers, tls).catch(() => Promise.reject(error));
    };
    const failure = (_why: string, cause: unknown) => cause as FleetError;
    return new DuplexConnector({ ...this.#options, source: url.href, open, failure }).connect(events);
  }

  /**
   * Asks a server for its era; undefined for one that fails at the question, as servers do that know no such method. One that
   * wants authentication says nothing about it.
   */
  async #probe(endpoint: HttpEndpoint): Promise<Era | undefined> {
    const { fleet, identity, connectMs } = this.#options;
    const method = "server/discover";
    const params = enveloped(undefined, undefined, { ...identity });
    const id = endpoint.nextId();
    const body = encodeRequest(id, method, params);
    const exchange = new Exchange(connectMs);
    const head = endpoint.head("POST", headersOf(method, params));
    const ignored = () => {};
    const silent = silentAt(method, fleet, connectMs);
    let outcome = await endpoint.post(head, body, id, exchange, ignored).catch(silent);
    if (isRedirect(outcome)) outcome = await endpoint.follow(outcome, head, body, id, exchange, ignored).catch(silent);
    if (isRedirect(outcome)) throw endpoint.unanswered(outcome);
    const { status, reply } = outcome;
    if (status === 401 || status === 403) {
      const fix = `configure servers.${fleet}.credentials`;
      throw new FleetError("UPSTREAM_PROTOCOL", `${fleet}: ${endpoint.origin} answered HTTP ${status}; ${fix}`);
    }
    if (status >= 500) return undefined;
    checkDescription(fleet, method, reply);
    const era: ReturnType<typeof eraOf> = reply === undefined ? { modern: false } : eraOf(reply);
    if (typeof era === "object") return era;
    const text = `${fleet}: the server knows no revision that the gateway does (${modernRevision})`;
    throw new FleetError("UPSTREAM_PROTOCOL", text);
  }
}

const sessionEra: Era = { modern: false };
const refusals = new Set<unknown>([400, 404, 405]);

/** Has the server refused to speak Streamable HTTP, rather than failed? */
const noStreamableHttp = (error: unknown): boolean =>
  error instanceof FleetError && error.code === "UPSTREAM_PROTOCOL" && refusals.has(error.data?.status);
