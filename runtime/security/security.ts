import type { IncomingMessage } from "node:http";
import type { Logger } from "pino";
import type { ResolvedConfig } from "../config/index.ts";
import type { SecurityMetrics } from "../observability/security-metrics.ts";
import { type Access, OpenAccess, openAccess } from "./access.ts";
import { Authorizer } from "./authorizer.ts";
import { type AccessStages, CallerAccess } from "./caller-access.ts";
import { Gatekeeper, type Room } from "./gatekeeper.ts";
import { localPrincipal, type Principal } from "./principal.ts";
import { RequestGuard } from "./request-guard.ts";

export interface SecurityOptions {
  readonly metrics: SecurityMetrics;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** What one configuration makes of it; replaced as a whole when another one is applied. */
interface InForce {
  readonly guard: RequestGuard;
  readonly gatekeeper: Gatekeeper;
  readonly stages: AccessStages | undefined;
  readonly accesses: WeakMap<Principal, Access>;
}

/** Everything that decides who may call and what: one object for the listeners, one `Access` per caller for the rest. */
export class Security {
  readonly #options: SecurityOptions;
  /** Who makes a request that the REST interface serves. */
  readonly #callers = new WeakMap<IncomingMessage, Access>();
  #inForce: InForce;

  private constructor(options: SecurityOptions, inForce: InForce) {
    this.#options = options;
    this.#inForce = inForce;
  }

  /** Rejects with CONFIG_INVALID. */
  static async start(config: ResolvedConfig, options: SecurityOptions): Promise<Security> {
    return new Security(options, await prepare(config, options));
  }

  /** Takes over another configuration; calls that have begun go on under the one before. Rejects with CONFIG_INVALID. */
  async apply(config: ResolvedConfig): Promise<void> {
    this.#inForce = await prepare(config, this.#options);
  }

  /** Credentials in memory that took work to check. */
  get remembered(): { readonly size: number; readonly max: number } {
    const { remembered, bound } = this.#inForce.gatekeeper.authenticator;
    return { size: remembered, max: bound };
  }

  /** Throws HOST_REFUSED or ORIGIN_REFUSED. */
  guard(request: IncomingMessage): void {
    this.#inForce.guard.check(request);
  }

  /** The access of who calls, if they may come in here. Throws or rejects with a FleetError that challenges. */
  admit(request: IncomingMessage, room: Room, server: string | undefined): Access | Promise<Access> {
    const admitted = this.#inForce.gatekeeper.admit(request, room, server, request.socket.remoteAddress ?? "");
    return admitted instanceof Promise
      ? admitted.then((principal) => this.accessOf(principal))
      : this.accessOf(admitted);
  }

  /** Protected resource metadata at this path; undefined when it is none. */
  metadata(path: string, serves: (server: string) => boolean): object | undefined {
    return this.#inForce.gatekeeper.resource.document(path, serves);
  }

  /** The access of a caller: the same object as long as the same credential and configuration are in force. */
  accessOf(principal: Principal): Access {
    const { accesses, stages } = this.#inForce;
    let access = accesses.get(principal);
    if (access === undefined) {
      // A credential that ends needs a look at each call of a long connection.
      const open = stages === undefined && principal.expiresAt === undefined;
      if (open) access = principal === localPrincipal ? openAccess : new OpenAccess(principal);
      else access = new CallerAccess(principal, stages ?? { clock: this.#options.clock });
      accesses.set(principal, access);
    }
    return access;
  }

  /** Notes who makes a request, for whoever answers it later. */
  remember(request: IncomingMessage, access: Access): void {
    this.#callers.set(request, access);
  }

  /** Who makes a request that came in. */
  callerOf(request: IncomingMessage): Access {
    return this.#callers.get(request) ?? this.accessOf(localPrincipal);
  }
}

async function prepare(
  { gateway, servers }: ResolvedConfig,
  { metrics, log, clock, now }: SecurityOptions,
): Promise<InForce> {
  const { auth, authorization } = gateway;
  const requirements = new Map(servers.map(({ name, auth: requirement }) => [name, requirement]));
  const requirementOf = (server: string) => requirements.get(server);
  const gatekeeper = new Gatekeeper({ auth, requirementOf, metrics, clock });
  const required = [...requirements.values()].some((requirement) => requirement !== undefined);
  const authorizer =
    authorization !== undefined || required
      ? await Authorizer.create({ authorization, requirementOf, resource: gatekeeper.resource, metrics, log, now })
      : undefined;
  return {
    guard: new RequestGuard(gateway),
    gatekeeper,
    stages: authorizer === undefined ? undefined : { authorizer, clock },
    accesses: new WeakMap(),
  };
}
