import type { IncomingMessage } from "node:http";
import { FleetError } from "../errors.ts";
import type { McpService } from "../routing/mcp-service.ts";
import type { Access, Room, Security } from "../security/index.ts";
import type { McpTarget } from "./target.ts";

/** What says that the caller may not come in; other failures say nothing of it. */
const refusals = new Set(["UNAUTHENTICATED", "TOKEN_REFUSED", "SCOPE_MISSING", "FORBIDDEN"]);

/** The service of `/mcp` (undefined) or of `/mcp/<server>` for a caller; undefined when there is no such server. */
export type ServiceFor = (server: string | undefined, access: Access) => McpService | undefined;

/** The target of a request that has been admitted. A connection that it opens can ask later whether it still would be. */
export class AdmittedTarget implements McpTarget {
  service: McpService;
  readonly server: string | undefined;
  access: Access;
  readonly caller: string;
  readonly expiresAt: number | undefined;
  readonly recheckMs: number | undefined;
  readonly #request: IncomingMessage;
  readonly #room: Room;
  readonly #security: Security;
  readonly #serviceFor: ServiceFor;

  constructor(
    service: McpService,
    server: string | undefined,
    access: Access,
    request: IncomingMessage,
    room: Room,
    security: Security,
    serviceFor: ServiceFor,
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
    this.#serviceFor = serviceFor;
  }

  onApplied(look: () => void): () => void {
    return this.#security.onApplied(look);
  }

  /** What comes next on its connection is judged by the settings of now. A credential that names somebody else now is not let in. */
  async stillAdmitted(): Promise<boolean | undefined> {
    try {
      const access = await this.#security.admitAgain(this.#request, this.#room, this.server);
      if (access.principal.caller !== this.caller) return false;
      const service = this.#serviceFor(this.server, access);
      if (service === undefined) return false;
      this.access = access;
      this.service = service;
      return true;
    } catch (error) {
      const { code } = error instanceof FleetError ? error : { code: "" };
      // So many are looked at that this one had no turn.
      if (code === "AUTH_BUSY") return undefined;
      return !refusals.has(code);
    }
  }
}
