import { createServer, type IncomingMessage, type RequestListener, type Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Server as NetServer } from "node:net";
import type { TlsOptions } from "node:tls";
import type { ByteBudget } from "./byte-budget.ts";
import { FastPath } from "./fast-path/index.ts";
import { IncomingRequest } from "./incoming-request.ts";
import { behindProxy } from "./proxy-protocol.ts";
import { responsesWithin } from "./watched-response.ts";

/**
 * Clients are told (`Keep-Alive: timeout=5`) to close a connection that they have not used for so long, though the server would
 * wait longer. Where one process takes over from another, the old one waits for so long: whoever does as told never sends on a
 * connection that is just being closed.
 */
export const idleMs = 5000;

/** What bounds the connections of the gateway's port. */
export interface HttpServerOptions {
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  readonly maxConnections: number;
  /** Counts the bytes that wait on all connections. Defaults to none. */
  readonly budget?: ByteBudget | undefined;
  /** Absent: plain HTTP. */
  readonly tls?: TlsOptions | undefined;
  /** Do trusted peers begin with a PROXY protocol header? */
  readonly proxyProtocol: boolean;
  /** Are others served without one? */
  readonly proxyProtocolOptional: boolean;
  /** Peers whose header is believed. Defaults to none. */
  readonly proxies?: { trusts(address: string): boolean };
}

/** An HTTP server and what listens for it. */
export interface BoundServer {
  readonly http: Server;
  /** The server itself, or one that looks at connections first: for a proxy's word about them, or for the fast path. */
  readonly listener: NetServer;
  /** Undefined with TLS, and behind a proxy that speaks the PROXY protocol. */
  readonly fastPath: FastPath | undefined;
}

/**
 * The server of the gateway's port. Requests that could be read in two ways (two lengths, a length and chunks, bare line
 * feeds) are refused by Node's parser, which is never made lenient; headers and bodies must have come in time.
 */
export function httpServer(options: HttpServerOptions, serve: RequestListener): BoundServer {
  const { headersTimeoutMs, requestTimeoutMs, keepAliveTimeoutMs, maxHeaderBytes, tls, budget } = options;
  const { proxies, proxyProtocol, proxyProtocolOptional } = options;
  const toldMs = Math.min(keepAliveTimeoutMs, idleMs);
  const settings = {
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    // Ends with the request's last byte: how long its answer takes does not count.
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: toldMs,
    keepAliveTimeoutBuffer: keepAliveTimeoutMs - toldMs,
    connectionsCheckingInterval: Math.max(Math.min(headersTimeoutMs, requestTimeoutMs) / 2, 50),
    maxHeaderSize: maxHeaderBytes,
    requireHostHeader: true,
    insecureHTTPParser: false,
    IncomingMessage: IncomingRequest,
    ServerResponse: budget === undefined ? ServerResponse<IncomingRequest> : responsesWithin(budget),
    // Another upgrade is an offer that a server ignores (RFC 9110, 7.8): Java's HTTP client offers HTTP/2 with its requests.
    shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === "websocket",
  };
  const http: Server =
    tls === undefined ? createServer(settings, serve) : (createTlsServer({ ...settings, ...tls }, serve) as Server);
  http.maxHeadersCount = options.maxHeaders;
  let listener: NetServer = http;
  let fastPath: FastPath | undefined;
  if (proxyProtocol) {
    listener = behindProxy(http, (address) => proxies?.trusts(address) === true, proxyProtocolOptional);
  } else if (tls === undefined) {
    const { headersTimeout: firstMs } = settings;
    const bounds = {
      maxHeaderBytes,
      maxHeaders: options.maxHeaders,
      firstMs,
      idleMs: keepAliveTimeoutMs,
      keptMs: toldMs,
      budget,
    };
    fastPath = new FastPath(http, { ...bounds, serve, now: () => performance.now() });
    listener = fastPath.listener;
  }
  listener.maxConnections = options.maxConnections;
  return { http, listener, fastPath };
}
