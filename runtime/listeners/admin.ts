import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { FleetError, messageOf } from "../errors.ts";
import { readBody } from "./body.ts";
import { idleMs } from "./http-server.ts";

/** Lists and changes the instances of servers, and approves their tools; undefined for a path of somebody else. Throws FleetError. */
export type AdminOperation = (method: string, url: URL, body: unknown) => unknown;

/** What operators may ask of a running gateway. */
export interface AdminActions {
  status(): unknown;
  /** Replaces the worker processes, new ones first; undefined where there is one process. */
  readonly replaceWorkers?: (() => Promise<void>) | undefined;
  /** Reads the configuration again; rejects when it is wrong, and the old one stays in force. */
  reload(): Promise<void>;
  /** Begins to drain and ends the process's work. Clients have `lingerMs` to go; defaults to what the configuration says. */
  shutdown(lingerMs?: number): void;
  /** Begins to listen, where that waits for a word. */
  listen(): Promise<void>;
  /** What else there is. */
  readonly operate: AdminOperation;
}

const maxBodyBytes = 64 * 1024;

/**
 * `GET /status`, `POST /reload`, `POST /workers/replace`, `POST /listen`, `POST /retire`, `POST /shutdown` and `/servers/<server>/instances`
 * on a unix socket that only the gateway's own user can open.
 */
export class AdminListener {
  readonly #socket: string;
  readonly #actions: AdminActions;
  readonly #server: Server;

  private constructor(socket: string, actions: AdminActions) {
    this.#socket = socket;
    this.#actions = actions;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(socket: string, actions: AdminActions): Promise<AdminListener> {
    const listener = new AdminListener(socket, actions);
    if (await answers(socket)) {
      const fix = "give each gateway a socket of its own, or end the other one";
      throw new FleetError("ADDRESS_IN_USE", `gateway.admin.socket: another gateway listens at ${socket}; ${fix}`);
    }
    // Left by a gateway that was killed.
    await rm(socket, { force: true });
    await new Promise<void>((resolve, reject) => {
      listener.#server.once("error", (error) => {
        const fix = "set gateway.admin.socket to a path that can be created";
        reject(
          new FleetError("STATE_UNWRITABLE", `gateway.admin.socket: ${socket}: ${messageOf(error)}; ${fix}`, {
            cause: error,
          }),
        );
      });
      // The socket is bound in this call, and is its owner's from then on: a mode that is set later would leave a gap.
      const before = process.umask(0o177);
      listener.#server.listen(socket, resolve);
      process.umask(before);
    });
    await chmod(socket, 0o600);
    return listener;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#socket, { force: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json", connection: "close" }).end(JSON.stringify(body));
    try {
      switch (`${method} ${url}`) {
        case "GET /status":
          send(200, await this.#actions.status());
          break;
        case "POST /reload":
          await this.#actions.reload();
          send(200, await this.#actions.status());
          break;
        case "POST /workers/replace":
          if (this.#actions.replaceWorkers === undefined) throw new Error("gateway.workers is 1: restart the gateway");
          await this.#actions.replaceWorkers();
          send(200, await this.#actions.status());
          break;
        case "POST /listen":
          await this.#actions.listen();
          send(200, await this.#actions.status());
          break;
        case "POST /retire":
          send(202, {});
          this.#actions.shutdown(idleMs);
          break;
        case "POST /shutdown":
          send(202, {});
          this.#actions.shutdown();
          break;
        default: {
          const text = await readBody(request, maxBodyBytes);
          const body: unknown = text === "" ? undefined : JSON.parse(text);
          const view = await this.#actions.operate(method, new URL(url, "http://admin"), body);
          if (view === undefined) send(404, { message: `the admin listener has no ${method} ${url}` });
          else send(200, view);
        }
      }
    } catch (error) {
      const { code, kind } = error instanceof FleetError ? error : { code: undefined, kind: undefined };
      send(kind?.status === 404 ? 404 : 400, { ...(code === undefined ? {} : { code }), message: messageOf(error) });
    }
  }
}

/** Does a living process listen at this socket? */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = connect(socket);
    asked.once("connect", () => {
      asked.destroy();
      resolve(true);
    });
    asked.once("error", () => resolve(false));
  });
}
