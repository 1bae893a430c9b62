import type { IncomingMessage } from "node:http";
import { type Auth, type Requirement, serverNamePattern } from "../config/schema/index.ts";
import { FleetError } from "../errors.ts";
import type { SecurityMetrics } from "../observability/security-metrics.ts";
import type { AuditLog } from "./audit-log.ts";
import { Authenticator } from "./authenticator.ts";
import { FailureLimit, type FailureShare } from "./failure-limit.ts";
import { networkOf } from "./network.ts";
import type { Principal } from "./principal.ts";
import { type Place, ProtectedResource } from "./protected-resource.ts";
import { missingScopes, satisfies } from "./requirement.ts";
import type { ResourceScopes } from "./resource-scopes.ts";
import { union } from "./scopes.ts";

/** The gateway's interfaces, as `gateway.auth.listeners` names them. */
export type Room = "mcp" | "sse" | "ws" | "rest" | "metrics" | "dashboard";

const serverName = new RegExp(serverNamePattern);

export interface GatekeeperOptions {
  readonly auth: Auth | undefined;
  /** `servers.<name>.auth`. */
  readonly requirementOf: (server: string) => Requirement | undefined;
  /** What clients are told to ask for. */
  readonly scopes: ResourceScopes;
  readonly metrics: SecurityMetrics;
  /** Where refusals are noted; undefined for nowhere. */
  readonly audit?: Pick<AuditLog, "refused"> | undefined;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Failures that other processes see; undefined for a gateway of one. */
  readonly failures?: FailureShare | undefined;
}

/** Decides who comes in where: authentication, then what an interface and a server require. */
export class Gatekeeper {
  readonly resource: ProtectedResource;
  readonly authenticator: Authenticator;
  readonly #options: GatekeeperOptions;
  readonly #failures: FailureLimit | undefined;

  constructor(options: GatekeeperOptions) {
    const { auth, clock, scopes } = options;
    this.#options = options;
    this.resource = new ProtectedResource(auth ?? {}, scopes);
    const max = auth?.maxFailuresPerMinute;
    this.#failures = max === undefined ? undefined : new FailureLimit(max, clock, options.failures);
    this.authenticator = new Authenticator(auth, clock, this.#failures);
  }

  /** Networks whose failures are remembered, and their bound. */
  get failing(): { readonly size: number; readonly max: number } {
    return { size: this.#failures?.size ?? 0, max: this.#failures?.bound ?? 0 };
  }

  /** Are callers asked for a credential? */
  get asks(): boolean {
    return this.#options.auth !== undefined;
  }

  /** Does a request carry a credential that is to be judged? */
  hasCredential(request: IncomingMessage): boolean {
    return this.asks && this.authenticator.kindOf(request) !== "none";
  }

  /**
   * Who calls, if they may come in here: at once when that is known. `server` is the one of `/mcp/<server>`; `address`
   * where the request comes from. Throws or rejects with a FleetError whose headers challenge the caller.
   */
  admit(
    request: IncomingMessage,
    room: Room,
    server: string | undefined,
    address: string,
  ): Principal | Promise<Principal> {
    const place = { room, server };
    this.#failures?.check(networkOf(address));
    try {
      const principal = this.authenticator.identify(request, address);
      if (!(principal instanceof Promise)) return this.#entitled(principal, place);
      return principal
        .then((known) => this.#entitled(known, place))
        .catch((error) => {
          throw this.#challenged(error, request, place, address);
        });
    } catch (error) {
      throw this.#challenged(error, request, place, address);
    }
  }

  #entitled(principal: Principal, place: Place): Principal {
    const { auth, requirementOf } = this.#options;
    const { room, server } = place;
    if (principal.servers !== undefined && (server === undefined || !principal.servers.has(server))) {
      throw new FleetError("TOKEN_REFUSED", "Unauthorized: the token is not accepted: its audience is another one", {
        headers: { "www-authenticate": this.resource.challenge(place, "invalid_token") },
      });
    }
    const here = auth?.listeners?.[room];
    const there = server === undefined ? undefined : requirementOf(server);
    if (here !== undefined && !satisfies(principal, here)) this.#refuse(principal, here, place, here, there);
    // Without a scope to ask for, the server is hidden from the caller (`Access.knows`), and answers like one that is not there.
    if (there !== undefined && missingScopes(principal, there).length > 0)
      this.#refuse(principal, there, place, here, there);
    return principal;
  }

  /** Throws for what is `unmet`. A challenge names the scopes of all requirements: who asks for one's alone fails the other. */
  #refuse(
    principal: Principal,
    unmet: Requirement,
    place: Place,
    ...requirements: readonly (Requirement | undefined)[]
  ): never {
    this.#options.metrics.denied(place.server ?? "", "requirement");
    const { methods } = unmet;
    if (methods !== undefined && !(methods as readonly string[]).includes(principal.method)) {
      throw new FleetError("UNAUTHENTICATED", `Unauthorized: authenticate with one of ${methods.join(", ")} here`, {
        headers: { "www-authenticate": this.resource.challenge(place) },
      });
    }
    if (missingScopes(principal, unmet).length === 0)
      throw new FleetError("FORBIDDEN", "Forbidden: the caller has none of the roles that this needs");
    const scopes = union(...requirements.map((requirement) => requirement?.scopes));
    const missing = missingScopes(principal, { scopes });
    throw new FleetError("SCOPE_MISSING", `Forbidden: the token lacks the scopes ${missing.join(" ")}; ask for them`, {
      data: { requiredScopes: scopes },
      headers: { "www-authenticate": this.resource.stepUp(place, scopes, principal) },
    });
  }

  #challenged(error: unknown, request: IncomingMessage, place: Place, address: string): unknown {
    if (!(error instanceof FleetError)) return error;
    const { code } = error;
    const { room, server } = place;
    if (code !== "UNAUTHENTICATED" && code !== "TOKEN_REFUSED") return error;
    this.#options.audit?.refused({
      ...{ outcome: code, by: this.authenticator.kindOf(request), listener: room, address, reason: error.message },
      // A path may say anything.
      ...(server !== undefined && serverName.test(server) ? { server } : {}),
    });
    if (error.headers !== undefined) return error;
    this.#options.metrics.refused(code);
    const challenge = this.resource.challenge(place, code === "TOKEN_REFUSED" ? "invalid_token" : undefined);
    return new FleetError(code, error.message, { cause: error, headers: { "www-authenticate": challenge } });
  }
}
