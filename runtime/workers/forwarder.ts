import { randomBytes } from "node:crypto";
import { Agent, request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import { FleetError } from "../errors.ts";
import { readBody } from "../listeners/body.ts";
import type { Elsewhere } from "../listeners/elsewhere.ts";
import type { IncomingRequest } from "../listeners/incoming-request.ts";
import type { McpTarget } from "../listeners/target.ts";
import { encodeReply, errorReply, isRequest, parseMessages, type RequestId } from "../protocol/json-rpc.ts";
import type { ParkedCalls } from "../protocol/parked-calls.ts";
import type { SessionTable } from "../protocol/session-table.ts";
import type { Principal } from "../security/index.ts";
import { encodePrincipal, principalHeader } from "./forwarded-principal.ts";
import type { Roster } from "./roster.ts";

export interface ForwarderOptions {
  readonly roster: Roster;
  readonly sessions: SessionTable;
  readonly parked: ParkedCalls;
  readonly maxBodyBytes: number;
}

/** Names a forwarded request; the answer repeats it, so that it cannot be taken for another request's. */
export const forwardedHeader = "x-mcp-fleet-forwarded";

/** Owners that are tried one after the other. */
const attempts = 4;
/** The request has not reached a worker. */
const undelivered = new Set(["ECONNREFUSED", "ENOENT"]);

/**
 * Sends requests to the worker that keeps their session, parked call or event stream. When that worker dies before it has begun to
 * answer, what changes nothing is sent again to the one that takes its place.
 */
export class Forwarder implements Elsewhere {
  readonly #options: ForwarderOptions;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #name = randomBytes(9).toString("base64url");
  #count = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  admitted(request: IncomingMessage, principal: Principal): void {
    // Every request of the gateway's port is one.
    (request as IncomingRequest).principal = principal;
  }

  session(request: IncomingMessage, response: ServerResponse, target: McpTarget): boolean {
    const { roster, sessions } = this.#options;
    const sealed = request.headers["mcp-session-id"];
    const claims = typeof sealed === "string" ? sessions.claimsOf(sealed) : undefined;
    if (claims === undefined || roster.ownerOf(claims.worker, claims.id) === roster.slot) return false;
    void this.#forward(request, response, target, claims.worker, claims.id);
    return true;
  }

  parkedCall(
    request: IncomingMessage,
    response: ServerResponse,
    target: McpTarget,
    state: unknown,
    body: string,
  ): boolean {
    const { roster, parked } = this.#options;
    const slot = request.headers[principalHeader] === undefined ? parked.workerOf(state) : undefined;
    // Where its worker has gone the call has gone too; here its client is told so.
    if (slot === undefined || slot === roster.slot || roster.socketOf(slot) === undefined) return false;
    void this.#forward(request, response, target, slot, "", body);
    return true;
  }

  stream(request: IncomingMessage, response: ServerResponse, _caller: string, id: string): boolean {
    const { roster } = this.#options;
    const slot = Number(/^(\d{1,4})-/.exec(id)?.[1] ?? roster.slot);
    if (request.headers[principalHeader] !== undefined || slot === roster.slot || roster.socketOf(slot) === undefined)
      return false;
    void this.#forward(request, response, {}, slot, "");
    return true;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    target: Partial<McpTarget>,
    slot: number,
    id: string,
    given?: string,
  ): Promise<void> {
    const { roster, maxBodyBytes } = this.#options;
    let body = given ?? "";
    try {
      body = given ?? (await readBody(request, maxBodyBytes));
      for (let attempt = 1; ; attempt += 1) {
        const owner = roster.ownerOf(slot, id);
        const socket = roster.socketOf(owner);
        try {
          if (socket === undefined) throw gone();
          // What is left of the pool after a worker's end are its connections, which would fail one after the other.
          await this.#send(request, response, socket, body, attempt === 1 ? this.#agent : false);
          return;
        } catch (error) {
          const refused = undelivered.has((error as NodeJS.ErrnoException).code ?? "");
          if (refused && socket !== undefined) roster.lost(owner, socket);
          if (response.headersSent || response.destroyed) throw error;
          if (attempt === attempts || !(refused || (await repeatable(body, target)))) throw gone(error);
        }
      }
    } catch (error) {
      refuse(response, body, error);
    }
  }

  /** Resolves when the answer has been passed on; rejects when there was none, or not all of it. */
  #send(
    request: IncomingMessage,
    response: ServerResponse,
    socketPath: string,
    body: string,
    agent: Agent | false,
  ): Promise<void> {
    const { method, url: path } = request;
    this.#count += 1;
    const id = `${this.#name}.${this.#count}`;
    const headers = {
      ...request.headers,
      [forwardedHeader]: id,
      [principalHeader]: encodePrincipal((request as IncomingRequest).principal as Principal),
      "content-length": Buffer.byteLength(body),
    };
    delete headers["transfer-encoding"];
    delete headers.connection;
    return new Promise((resolve, reject) => {
      const left = () => asked.destroy();
      const asked = ask({ socketPath, method, path, headers, agent }, (answer) => {
        if (answer.headers[forwardedHeader] !== id) {
          asked.destroy(gone());
          return;
        }
        delete answer.headers.connection;
        delete answer.headers[forwardedHeader];
        response.writeHead(answer.statusCode as number, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
        answer.on("error", reject);
        answer.on("close", () => {
          response.off("close", left);
          if (answer.complete) resolve();
          else reject(gone());
        });
      });
      asked.on("error", (error) => {
        response.off("close", left);
        reject(error);
      });
      response.on("close", left);
      asked.end(body);
    });
  }
}

/** May the request be sent again when nobody knows whether it was carried out? */
async function repeatable(body: string, { service }: Partial<McpTarget>): Promise<boolean> {
  if (body === "") return true;
  const message = parseMessages(body);
  if (Array.isArray(message) || !isRequest(message)) return false;
  if (message.method !== "tools/call") return true;
  const tool = await service?.tool(String(message.params?.name)).catch(() => undefined);
  const hints = tool?.annotations as { readOnlyHint?: boolean; idempotentHint?: boolean } | undefined;
  return hints?.readOnlyHint === true || hints?.idempotentHint === true;
}

function gone(cause?: unknown): FleetError {
  return new FleetError("WORKER_LOST", "the gateway's worker ended during the call; call again", { cause });
}

function refuse(response: ServerResponse, body: string, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  let id: RequestId | null = null;
  try {
    const message = parseMessages(body);
    if (!Array.isArray(message) && isRequest(message)) id = message.id;
  } catch {
    // Whose answer it is cannot be said.
  }
  const text = encodeReply(id, errorReply(error));
  const status = error instanceof FleetError ? error.kind.status : 502;
  response
    .writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
    .end(text);
}
