import type { McpService } from "../routing/mcp-service.ts";
import { type Access, localPrincipal, type Security } from "../security/index.ts";
import type { ServiceFor } from "./admitted-target.ts";
import type { McpTarget } from "./target.ts";

/** The target of a connection that comes without a credential, from the user of this machine. */
export class LocalTarget implements McpTarget {
  service: McpService;
  access: Access;
  readonly server: string | undefined;
  readonly caller = localPrincipal.caller;
  readonly #security: Security;
  readonly #serviceFor: ServiceFor;

  private constructor(
    service: McpService,
    access: Access,
    of: { server?: string | undefined; security: Security; serviceFor: ServiceFor },
  ) {
    this.service = service;
    this.access = access;
    this.server = of.server;
    this.#security = of.security;
    this.#serviceFor = of.serviceFor;
  }

  /** Undefined when there is no such server for the user. */
  static of(server: string | undefined, security: Security, serviceFor: ServiceFor): LocalTarget | undefined {
    const access = security.accessOf(localPrincipal);
    const service = serviceFor(server, access);
    return service && new LocalTarget(service, access, { server, security, serviceFor });
  }

  onApplied(look: () => void): () => void {
    return this.#security.onApplied(look);
  }

  /** What comes next on its connection is judged by the settings of now. */
  async stillAdmitted(): Promise<boolean> {
    const access = this.#security.accessOf(localPrincipal);
    const service = this.#serviceFor(this.server, access);
    if (service === undefined) return false;
    this.access = access;
    this.service = service;
    return true;
  }
}
