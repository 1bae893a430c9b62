import { createServer, type IncomingMessage, type RequestListener, type Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex as Stream } from "node:stream";
import { FleetError, messageOf } from "../errors.ts";
import { errorReply } from "../protocol/json-rpc.ts";
import type { McpService } from "../routing/mcp-service.ts";
import type { Authenticator } from "../security/authenticator.ts";
import type { RequestGuard } from "../security/request-guard.ts";
import type { LegacySse } from "./legacy-sse.ts";
import type { StreamableHttp } from "./streamable-http.ts";
import type { McpTarget } from "./target.ts";
import type { WebSocketListener } from "./web-socket.ts";

export interface FrontDoorOptions {
  readonly guard: RequestGuard;
  readonly authenticator: Authenticator;
  readonly mcp: StreamableHttp;
  readonly sse: LegacySse;
  readonly webSocket: WebSocketListener;
  /** The service of `/mcp` (undefined) or of `/mcp/<server>`; undefined when there is no such server. */
  readonly serviceFor: (server: string | undefined) => McpService | undefined;
  /** How long a client may take to send one request, in milliseconds; one that dawdles is answered 408 and closed. */
  readonly receiveMs: number;
}

/** Paths that need no authentication: load balancers ask them. */
const open = new Set(["/health", "/ready"]);

/** The gateway's one port: checks every request, serves `/mcp` itself, hands the rest to the REST interface. */
export class FrontDoor {
  readonly server: Server;
  readonly #options: FrontDoorOptions;
  /** Who sent what is not MCP. */
  readonly #callers = new WeakMap<IncomingMessage, string>();
  #rest: RequestListener = (_request, response) => response.writeHead(404).end();

  constructor(options: FrontDoorOptions) {
    this.#options = options;
    const { receiveMs } = options;
    // Both end with the request's last byte: how long its answer takes does not count.
    const deadlines = {
      requestTimeout: receiveMs,
      headersTimeout: receiveMs,
      connectionsCheckingInterval: receiveMs / 2,
    };
    this.server = createServer(deadlines, (request, response) => this.#serve(request, response));
    this.server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Says who serves what is not MCP. */
  use(rest: RequestListener): void {
    this.#rest = rest;
  }

  /** Who sent a request that was handed on; undefined on a path that needs no authentication. */
  callerOf(request: IncomingMessage): string | undefined {
    return this.#callers.get(request);
  }

  /** Resolves with the port. Rejects with ADDRESS_IN_USE. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once("error", (error) => reject(refusal(error, host, port)));
      this.server.listen(port, host, () => resolve((this.server.address() as AddressInfo).port));
    });
  }

  /** Takes no new connections; resolves when the last one has ended, or after `ms` when they are cut. */
  async close(ms: number): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    this.#options.webSocket.close();
    const timer = setTimeout(() => {
      this.server.closeAllConnections();
      this.#options.webSocket.terminate();
    }, ms);
    await closed;
    clearTimeout(timer);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { guard, authenticator, mcp, sse } = this.#options;
    const path = pathOf(request);
    try {
      guard.check(request);
      if (open.has(path)) {
        this.#rest(request, response);
        return;
      }
      const caller = authenticator.identify(request);
      const { room, server } = roomOf(path);
      if (room === "mcp") void mcp.serve(request, response, this.#target(server, caller));
      else if (room === "sse") sse.open(request, response, this.#target(server, caller));
      else if (path === "/messages") sse.receive(request, response, caller).catch((error) => refuse(response, error));
      else {
        this.#callers.set(request, caller);
        this.#rest(request, response);
      }
    } catch (error) {
      refuse(response, error);
    }
  }

  #upgrade(request: IncomingMessage, socket: Stream, head: Buffer): void {
    const { guard, authenticator, webSocket } = this.#options;
    try {
      guard.check(request);
      const caller = authenticator.identify(request);
      const { room, server } = roomOf(pathOf(request));
      if (room !== "ws") throw new FleetError("SERVER_UNKNOWN", "a WebSocket is served at /ws and /ws/<server>");
      webSocket.accept(request, socket, head, this.#target(server, caller));
    } catch (error) {
      // The one answer that there can be before the upgrade; then nobody speaks HTTP on the socket.
      const response = new ServerResponse(request);
      response.assignSocket(socket as Socket);
      refuse(response, error);
      response.on("finish", () => socket.end());
    }
  }

  #target(server: string | undefined, caller: string): McpTarget {
    const service = this.#options.serviceFor(server);
    if (service !== undefined) return { service, server, caller };
    throw new FleetError("SERVER_UNKNOWN", `no server is called "${server}"; GET /api/v1/servers lists them`);
  }
}

function pathOf({ url }: IncomingMessage): string {
  const text = url as string;
  const query = text.indexOf("?");
  return query < 0 ? text : text.slice(0, query);
}

/** `/mcp` is the room of all servers, `/mcp/<server>` that of one. */
function roomOf(path: string): { readonly room: string; readonly server: string | undefined } {
  const slash = path.indexOf("/", 1);
  return slash < 0
    ? { room: path.slice(1), server: undefined }
    : { room: path.slice(1, slash), server: path.slice(slash + 1) };
}

function refuse(response: ServerResponse, error: unknown): void {
  const status = error instanceof FleetError ? error.kind.status : 500;
  const text = JSON.stringify({ jsonrpc: "2.0", id: null, ...errorReply(error) });
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    connection: "close",
  };
  response.writeHead(status, status === 401 ? { ...headers, "www-authenticate": "Bearer" } : headers).end(text);
}

function refusal(error: NodeJS.ErrnoException, host: string, port: number): FleetError {
  if (error.code === "EADDRINUSE") {
    const fix = "stop what listens there, or set gateway.port to another one (0 takes a free one)";
    return new FleetError("ADDRESS_IN_USE", `gateway.port: ${host}:${port} is in use by another program; ${fix}`, {
      cause: error,
    });
  }
  const fix = "set gateway.host and gateway.port to an address of this machine";
  return new FleetError(
    "ADDRESS_IN_USE",
    `gateway.host: cannot listen on ${host}:${port} (${messageOf(error)}); ${fix}`,
    { cause: error },
  );
}
