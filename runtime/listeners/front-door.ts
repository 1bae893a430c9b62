import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { FleetError, messageOf } from "../errors.ts";
import { errorReply } from "../protocol/json-rpc.ts";
import type { McpService } from "../routing/mcp-service.ts";
import type { Authenticator } from "../security/authenticator.ts";
import type { RequestGuard } from "../security/request-guard.ts";
import type { StreamableHttp } from "./streamable-http.ts";

export interface FrontDoorOptions {
  readonly guard: RequestGuard;
  readonly authenticator: Authenticator;
  readonly mcp: StreamableHttp;
  /** The service of `/mcp` (undefined) or of `/mcp/<server>`; undefined when there is no such server. */
  readonly serviceFor: (server: string | undefined) => McpService | undefined;
}

const mcpPath = "/mcp";
/** Paths that need no authentication: load balancers ask them. */
const open = new Set(["/health", "/ready"]);

/** The gateway's one port: checks every request, serves `/mcp` itself, hands the rest to the REST interface. */
export class FrontDoor {
  readonly server: Server;
  readonly #options: FrontDoorOptions;
  #rest: RequestListener = (_request, response) => response.writeHead(404).end();

  constructor(options: FrontDoorOptions) {
    this.#options = options;
    this.server = createServer((request, response) => this.#serve(request, response));
    // Event streams and slow tools keep requests open for long; their own deadlines end them.
    this.server.requestTimeout = 0;
  }

  /** Says who serves what is not MCP. */
  use(rest: RequestListener): void {
    this.#rest = rest;
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
    const timer = setTimeout(() => this.server.closeAllConnections(), ms);
    await closed;
    clearTimeout(timer);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url as string;
    const query = url.indexOf("?");
    const path = query < 0 ? url : url.slice(0, query);
    try {
      this.#options.guard.check(request);
      if (open.has(path)) {
        this.#rest(request, response);
        return;
      }
      const caller = this.#options.authenticator.identify(request);
      if (path !== mcpPath && !path.startsWith(`${mcpPath}/`)) {
        this.#rest(request, response);
        return;
      }
      const server = path === mcpPath ? undefined : path.slice(mcpPath.length + 1);
      const service = this.#options.serviceFor(server);
      if (service === undefined)
        throw new FleetError("SERVER_UNKNOWN", `no server is called "${server}"; GET /api/v1/servers lists them`);
      void this.#options.mcp.serve(request, response, { service, server, caller });
    } catch (error) {
      refuse(response, error);
    }
  }
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
