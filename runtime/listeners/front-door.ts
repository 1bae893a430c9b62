import { once } from "node:events";
import { type IncomingMessage, type RequestListener, type Server, ServerResponse } from "node:http";
import { type AddressInfo, Server as NetServer, type Socket } from "node:net";
import type { Duplex as Stream } from "node:stream";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { isLoopback } from "../config/schema/index.ts";
import { FleetError, messageOf } from "../errors.ts";
import type { Use } from "../observability/bounds.ts";
import { openPages } from "../observability/dashboard/index.ts";
import { errorReply } from "../protocol/json-rpc.ts";
import type { Access, Room, Security } from "../security/index.ts";
import { AdmittedTarget, type ServiceFor } from "./admitted-target.ts";
import type { Elsewhere } from "./elsewhere.ts";
import type { FastPath } from "./fast-path/index.ts";
import { type HttpServerOptions, httpServer } from "./http-server.ts";
import type { LegacySse } from "./legacy-sse.ts";
import { checkFields } from "./request-fields.ts";
import { type RequestTarget, RequestTargets } from "./request-target.ts";
import { listenAt } from "./shared-port.ts";
import type { StreamableHttp } from "./streamable-http.ts";
import type { McpTarget } from "./target.ts";
import type { WebSocketListener } from "./web-socket.ts";
import { serveWellKnown } from "./well-known.ts";

export interface FrontDoorOptions {
  readonly security: Security;
  readonly mcp: StreamableHttp;
  readonly sse: LegacySse;
  readonly webSocket: WebSocketListener;
  readonly connections: HttpServerOptions;
  readonly serviceFor: ServiceFor;
  /** The gateway's other processes. Defaults to none. */
  readonly elsewhere?: Elsewhere | undefined;
}

/** Open connections are counted so often while clients are told to go. */
const lingerStepMs = 20;
/** Looks for connections that wait, before a port is left. */
const maxLooks = 20;
/** A turn of the event loop in which hardly anything was done. */
const shortTurnMs = 0.2;
/** Where clients learn whom they ask for tokens (RFC 9728). */
const wellKnown = "/.well-known/";
/** Paths that need no authentication: load balancers ask them, and pages that hold no data. */
const open = new Set(["/health", "/ready", ...openPages]);
/** Of these, the paths that tell more to a caller whose credential is accepted. */
const named = new Set(["/ready"]);

/** The gateway's one port: checks every request, serves `/mcp` itself, hands the rest to the REST interface. */
export class FrontDoor {
  readonly server: Server;
  readonly #listener: NetServer;
  readonly #fastPath: FastPath | undefined;
  readonly #options: FrontDoorOptions;
  readonly #targets = new RequestTargets();
  #closing = false;
  #closed: Promise<unknown> | undefined;
  #rest: RequestListener = (_request, response) => response.writeHead(404).end();

  constructor(options: FrontDoorOptions) {
    this.#options = options;
    const bound = httpServer(options.connections, (request, response) => this.#serve(request, response));
    this.server = bound.http;
    this.#listener = bound.listener;
    this.#fastPath = bound.fastPath;
    this.server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Says who serves what is not MCP. */
  use(rest: RequestListener): void {
    this.#rest = rest;
  }

  /**
   * Resolves with the port, which other workers may listen on too if it is `shared`. A `socket` that listens already is a descriptor, and
   * takes the place of the port. Rejects with ADDRESS_IN_USE, and with CONFIG_INVALID for a socket at another address than `host`.
   */
  async listen(host: string, port: number, shared = false, socket?: number): Promise<number> {
    if (socket === undefined) return listenOn(this.#listener, host, port, shared);
    const listening = once(this.#listener, "listening");
    this.#listener.listen({ fd: socket });
    await listening;
    const at = this.#listener.address() as AddressInfo;
    if (at.address === host || (isLoopback(at.address) && isLoopback(host))) return at.port;
    this.#listener.close();
    // What the host says, such as whether callers need a token, has to be true of where they really come from.
    const message = `gateway.host: is ${host}, but the service manager's socket listens at ${at.address}; say the same in both`;
    throw new FleetError("CONFIG_INVALID", message);
  }

  /**
   * Takes no new connections, and tells each client with its next answer to connect anew; resolves when all connections have
   * ended, or after `ms`. Before `close`: a client whose idle connection is simply closed may just be sending, and cannot know
   * whether its call was taken.
   */
  async retire(ms: number): Promise<void> {
    const listening = this.#listener.listening;
    if (!listening || ms === 0) this.#closing = true;
    if (!listening) return;
    await this.#acceptWaiting();
    this.#closed = new Promise((resolve) => this.#listener.once("close", resolve));
    // A server of node:http would close idle connections too.
    NetServer.prototype.close.call(this.#listener);
    const until = performance.now() + ms;
    // Others at the port that end with this process stop listening meanwhile: no client is sent away to one that is about to.
    if (ms > 0) await sleep(Math.min(lingerStepMs, ms));
    this.#closing = true;
    while (performance.now() < until && (await this.#connections()) > 0) await sleep(lingerStepMs);
  }

  /**
   * Connections that wait for this process are its own, also where others listen at the port: they are taken in first. One that comes
   * between the last look and the end of listening is refused, so a long turn of the event loop is followed by another look.
   */
  async #acceptWaiting(): Promise<void> {
    for (let looks = 0; looks < maxLooks; looks += 1) {
      const began = performance.now();
      await setImmediate();
      if (performance.now() - began < shortTurnMs) return;
    }
  }

  /** Resolves when the last connection has ended, or after `ms`, when they are cut. */
  async close(ms: number): Promise<void> {
    await this.retire(0);
    this.server.close();
    this.#fastPath?.close();
    this.#options.webSocket.close();
    const timer = setTimeout(() => {
      this.server.closeAllConnections();
      this.#fastPath?.close(true);
      this.#options.webSocket.terminate();
    }, ms);
    await this.#closed;
    clearTimeout(timer);
  }

  /** Open connections, whatever they speak. */
  get open(): Promise<Use> {
    return this.#connections().then((size) => ({ size, max: this.#listener.maxConnections }));
  }

  #connections(): Promise<number> {
    return new Promise((resolve) => this.#listener.getConnections((_error, count) => resolve(count ?? 0)));
  }

  /** Serves what another process of the gateway has checked. */
  forwarded(request: IncomingMessage, response: ServerResponse, access: Access): void {
    try {
      this.#serveAdmitted(request, response, this.#targets.read(request.url as string), access);
    } catch (error) {
      refuse(response, error);
    }
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { security } = this.#options;
    // Clients that are told to connect again find a gateway, or a worker, that stays.
    if (this.#closing) response.shouldKeepAlive = false;
    try {
      const target = this.#read(request);
      const { path, room, server } = target;
      if (path.includes(wellKnown)) {
        security.greetAnyone(request, response);
        serveWellKnown(request, response, security.metadata(path));
        return;
      }
      if (security.greet(request, response)) return;
      if (open.has(path) && !(named.has(path) && security.hasCredential(request))) {
        this.#rest(request, response);
        return;
      }
      const access = security.admit(request, interfaces.get(room) ?? "rest", ofMcp.has(room) ? server : undefined);
      if (!(access instanceof Promise)) this.#enter(request, response, target, access);
      else {
        access.then((known) => this.#enter(request, response, target, known)).catch((error) => refuse(response, error));
      }
    } catch (error) {
      refuse(response, error);
      // Node's parser can refuse the rest of these bytes too; it must not answer a second time.
      if (request.headers["transfer-encoding"] !== undefined) request.socket.end();
    }
  }

  /** The target as everybody behind the door reads it. Throws INVALID_REQUEST for a request that has two readings. */
  #read(request: IncomingMessage): RequestTarget {
    checkFields(request);
    const target = this.#targets.read(request.url as string);
    if (target.url !== request.url) request.url = target.url;
    if (target.authority !== undefined) request.headers.host = target.authority;
    return target;
  }

  #enter(request: IncomingMessage, response: ServerResponse, target: RequestTarget, access: Access): void {
    const { elsewhere } = this.#options;
    if (elsewhere !== undefined) {
      elsewhere.admitted(request, access.principal);
      if (
        target.room === "mcp" &&
        elsewhere.session(request, response, this.#target(request, "mcp", target.server, access))
      )
        return;
    }
    this.#serveAdmitted(request, response, target, access);
  }

  #serveAdmitted(
    request: IncomingMessage,
    response: ServerResponse,
    { room, server }: RequestTarget,
    access: Access,
  ): void {
    const { mcp, sse, security } = this.#options;
    if (room === "mcp") mcp.serve(request, response, this.#target(request, "mcp", server, access));
    else if (room === "sse") sse.open(request, response, this.#target(request, "sse", server, access), security.prefix);
    else if (room === "messages") {
      sse.receive(request, response, access.principal.caller, server).catch((error) => refuse(response, error));
    } else {
      security.remember(request, access);
      this.#rest(request, response);
    }
  }

  #upgrade(request: IncomingMessage, socket: Stream, head: Buffer): void {
    const { security, webSocket } = this.#options;
    const refused = (error: unknown) => {
      // The one answer that there can be before the upgrade; then nobody speaks HTTP on the socket.
      const response = new ServerResponse(request);
      response.assignSocket(socket as Socket);
      refuse(response, error);
      response.on("finish", () => socket.end());
    };
    // Whoever goes away while it is found out who calls.
    const gone = () => socket.destroy();
    socket.on("error", gone);
    const accept = (access: Access, server: string | undefined) => {
      const target = this.#target(request, "ws", server, access);
      socket.off("error", gone);
      webSocket.accept(request, socket, head, target);
    };
    try {
      const { room, server } = this.#read(request);
      security.guard(request);
      if (room !== "ws") throw new FleetError("SERVER_UNKNOWN", "a WebSocket is served at /ws and /ws/<server>");
      const access = security.admit(request, "ws", server);
      if (access instanceof Promise) access.then((known) => accept(known, server)).catch(refused);
      else accept(access, server);
    } catch (error) {
      refused(error);
    }
  }

  #target(request: IncomingMessage, room: Room, server: string | undefined, access: Access): McpTarget {
    const { security, serviceFor } = this.#options;
    const service = serviceFor(server, access);
    if (service !== undefined) return new AdmittedTarget(service, server, access, request, room, security, serviceFor);
    throw new FleetError("SERVER_UNKNOWN", `no server is called "${server}"; GET /api/v1/servers lists them`);
  }
}

/** The first part of a path, and the interface that it belongs to; everything else is REST. */
const interfaces = new Map<string, Room>([
  ["mcp", "mcp"],
  ["sse", "sse"],
  ["messages", "sse"],
  ["metrics", "metrics"],
  ["dashboard", "dashboard"],
]);
/** Where the second part of a path is a server. */
const ofMcp = new Set(["mcp", "sse", "messages"]);

function refuse(response: ServerResponse, error: unknown): void {
  const known = error instanceof FleetError ? error : undefined;
  const text = JSON.stringify({ jsonrpc: "2.0", id: null, ...errorReply(error) });
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    connection: "close",
  };
  response.writeHead(known?.kind.status ?? 500, { ...headers, ...known?.headers }).end(text);
}

/**
 * Resolves with the port. Rejects with ADDRESS_IN_USE. Processes that share a port each have a queue of their own (SO_REUSEPORT, socket(7)),
 * over which the kernel spreads connections; elsewhere than on Linux, node:cluster hands them out.
 */
export function listenOn(server: NetServer, host: string, port: number, shared: boolean): Promise<number> {
  return listenAt(server, { host, port, shared }, (error) => refusal(error, host, port));
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
