import type { IncomingMessage } from "node:http";
import { FleetError } from "../errors.ts";
import type { McpService } from "../routing/mcp-service.ts";
import type { Access, Room, Security } from "../security/index.ts";
import type { McpTarget } from "./target.ts";

/** What says that the caller may not come in; other failures say nothing of it. */
const refusals = new Set(["UNAUTHENTICATED", "TOKEN_REFUSED", "SCOPE_MISSING", "FORBIDDEN"]);

/** The target of a request that has been admitted. A connection that it opens can ask later whether it still would be. */
export class AdmittedTarget implements McpTarget {
  readonly service: McpService;
  readonly server: string | undefined;
  readonly access: Access;
  readonly caller: string;
  readonly expiresAt: number | undefined;
  readonly recheckMs: number | undefined;
  readonly #request: IncomingMessage;
  readonly #room: Room;
  readonly #security: Security;

  constructor(
    service: McpService,
    server: string | undefined,
    access: Access,
    request: IncomingMessage,
    room: Room,
    security: Security,
  ) {
    const { caller, expiresAt, recheckMs } = access.principal;
    this.service = service;
    this.server = server;
    this.access = access;
    this.caller = caller;
    this.expiresAt = expiresAt;
    this.recheckMs = recheckMs;
    this.#request = request;
    this.#room = room;
    this.#security = security;
  }

  onApplied(look: () => void): () => void {
    return this.#security.onApplied(look);
  }

  async stillAdmitted(): Promise<boolean> {
    try {
      await this.#security.admit(this.#request, this.#room, this.server);
      return true;
    } catch (error) {
      return !(error instanceof FleetError && refusals.has(error.code));
    }
  }
}
