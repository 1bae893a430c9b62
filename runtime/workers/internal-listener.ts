import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { Server as NetServer } from "node:net";
import { FleetError, messageOf } from "../errors.ts";
import type { AdminOperation } from "../listeners/admin.ts";
import { readBody } from "../listeners/body.ts";
import type { ByteBudget } from "../listeners/byte-budget.ts";
import { IncomingRequest } from "../listeners/incoming-request.ts";
import { responsesWithin } from "../listeners/watched-response.ts";
import { forwardedHeader } from "./forwarder.ts";
import type { OperationAnswer } from "./shared-admin.ts";

export interface InternalActions {
  status(): unknown;
  metrics(): Promise<unknown>;
  /** What the supervisor's admin listener passes on. */
  readonly operate: AdminOperation;
  /** A request that another worker has checked. */
  readonly forwarded: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A request that another worker has just sent arrives within this time. */
const onTheWayMs = 500;

/** What the gateway's processes ask of each other, on a unix socket in a folder that only its user can enter. */
export class InternalListener {
  readonly #server: Server;
  #closing = false;

  private constructor(listener: RequestListener, budget: ByteBudget) {
    const classes = { IncomingMessage: IncomingRequest, ServerResponse: responsesWithin(budget) };
    this.#server = createServer(classes, listener as RequestListener<typeof IncomingRequest>);
    this.#server.requestTimeout = 0;
    // Only the other side knows when it needs a connection no more: closed here, the next request might just be on its way.
    this.#server.keepAliveTimeout = 0;
  }

  static async start(
    socket: string,
    budget: ByteBudget,
    { status, metrics, operate, forwarded }: InternalActions,
  ): Promise<InternalListener> {
    const listener = new InternalListener(async (request, response) => {
      if (listener.#closing) response.shouldKeepAlive = false;
      if (request.url === "/internal/status") response.end(JSON.stringify(status()));
      else if (request.url === "/internal/metrics") response.end(JSON.stringify(await metrics()));
      else if (request.url === "/internal/operate") response.end(JSON.stringify(await answerOf(request, operate)));
      else {
        const id = request.headers[forwardedHeader];
        if (id !== undefined) response.setHeader(forwardedHeader, id);
        forwarded(request, response);
      }
    }, budget);
    await new Promise<void>((resolve, reject) =>
      // Exclusive: workers share what they listen on by default.
      listener.#server.once("error", reject).listen({ path: socket, exclusive: true }, resolve),
    );
    await chmod(socket, 0o600);
    return listener;
  }

  /**
   * Takes no new connections, and ends each one with its next answer. Idle ones stay open for half a second, or until the other side
   * closes them: a request can be on its way. Busy ones are cut after `ms`.
   */
  async close(ms: number): Promise<void> {
    this.#closing = true;
    const closed = once(this.#server, "close");
    // A server of node:http would close idle connections too.
    NetServer.prototype.close.call(this.#server);
    const timers = [
      setTimeout(() => this.#server.closeIdleConnections(), Math.min(ms, onTheWayMs)),
      setTimeout(() => this.#server.closeAllConnections(), ms),
    ];
    await closed;
    for (const timer of timers) clearTimeout(timer);
    // Stops its check of connections.
    this.#server.close();
  }
}

/** More than the admin listener takes, for what stands around it. */
const maxOperationBytes = 128 * 1024;

async function answerOf(request: IncomingMessage, operate: AdminOperation): Promise<OperationAnswer> {
  try {
    const { method, path, body } = JSON.parse(await readBody(request, maxOperationBytes));
    return { view: await operate(method, new URL(path, "http://admin"), body) };
  } catch (error) {
    return {
      error: { code: error instanceof FleetError ? error.code : "INVALID_REQUEST", message: messageOf(error) },
    };
  }
}
