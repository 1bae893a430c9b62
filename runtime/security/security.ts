import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { ResolvedConfig } from "../config/index.ts";
import type { Tls } from "../config/schema/index.ts";
import type { SecurityMetrics } from "../observability/security-metrics.ts";
import { type Access, OpenAccess, openAccess } from "./access.ts";
import type { AuditLog } from "./audit-log.ts";
import { Authorizer } from "./authorizer.ts";
import { type AccessStages, CallerAccess } from "./caller-access.ts";
import { Cors } from "./cors.ts";
import { type FailureShare, ownNetwork } from "./failure-limit.ts";
import { Gatekeeper, type Room } from "./gatekeeper.ts";
import type { BucketStore } from "./limits/bucket.ts";
import { Limiter } from "./limits/limiter.ts";
import { LocalBuckets } from "./limits/local-buckets.ts";
import { type RedisCommands, SharedBuckets } from "./limits/shared-buckets.ts";
import { SharedFailures } from "./limits/shared-failures.ts";
import { localPrincipal, type Principal } from "./principal.ts";
import type { Proxies } from "./proxies.ts";
import { RequestGuard } from "./request-guard.ts";
import { ResourceScopes } from "./resource-scopes.ts";

export interface SecurityOptions {
  readonly metrics: SecurityMetrics;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly proxies: Proxies;
  readonly audit: AuditLog | undefined;
  /** Where limits are counted that hold over all gateways; without it each process counts for itself. */
  readonly shared:
    | {
        readonly redis: RedisCommands;
        readonly prefix: string;
        /** Processes of this gateway, each of which counts its share while Redis is away. */
        readonly processes: number;
      }
    | undefined;
  /** Wrong credentials that the gateway's other processes see; undefined without any. */
  readonly failures?: FailureShare | undefined;
}

/** What one configuration makes of it; replaced as a whole when another one is applied. */
interface InForce {
  readonly guard: RequestGuard;
  readonly cors: Cors | undefined;
  /** `Strict-Transport-Security` (RFC 6797). */
  readonly hsts: string | undefined;
  readonly gatekeeper: Gatekeeper;
  readonly stages: AccessStages | undefined;
  readonly accesses: WeakMap<Principal, Access>;
}

/** Everything that decides who may call and what: one object for the listeners, one `Access` per caller for the rest. */
export class Security {
  readonly #options: SecurityOptions;
  /** Who makes a request that the REST interface serves. */
  readonly #callers = new WeakMap<IncomingMessage, Access>();
  readonly #store: BucketStore;
  readonly #proxies: Proxies;
  /** Connections that were admitted under earlier settings. */
  readonly #admitted = new Set<() => void>();
  #inForce: InForce;

  private constructor(options: SecurityOptions, store: BucketStore, inForce: InForce) {
    this.#options = options;
    this.#store = store;
    this.#proxies = options.proxies;
    this.#inForce = inForce;
  }

  /** Rejects with CONFIG_INVALID. */
  static async start(config: ResolvedConfig, options: SecurityOptions): Promise<Security> {
    const { shared, metrics, now } = options;
    const local = new LocalBuckets(now);
    const onAway = () => metrics.countedAlone();
    const store = shared === undefined ? local : new SharedBuckets({ ...shared, local, onAway, now });
    return new Security(options, store, await prepare(config, options, store));
  }

  /** Takes over another configuration; calls that have begun go on under the one before. Rejects with CONFIG_INVALID. */
  async apply(config: ResolvedConfig): Promise<void> {
    this.#inForce = await prepare(config, this.#options, this.#store);
    for (const look of this.#admitted) look();
  }

  /** Calls `look` each time another configuration is in force, until what it returns is called. */
  onApplied(look: () => void): () => void {
    this.#admitted.add(look);
    return () => void this.#admitted.delete(look);
  }

  /** Credentials in memory that took work to check. */
  get remembered(): { readonly size: number; readonly max: number } {
    const { remembered, bound } = this.#inForce.gatekeeper.authenticator;
    return { size: remembered, max: bound };
  }

  /** Checks of credentials that wait for their turn. */
  get waiting(): { readonly size: number; readonly max: number } {
    return this.#inForce.gatekeeper.authenticator.waiting;
  }

  /** Networks whose failures are remembered. */
  get failing(): { readonly size: number; readonly max: number } {
    return this.#inForce.gatekeeper.failing;
  }

  /**
   * Checks where a request comes from, and adds the headers that every answer has; true when that was all there was to
   * answer. Throws HOST_REFUSED or ORIGIN_REFUSED.
   */
  greet(request: IncomingMessage, response: ServerResponse): boolean {
    const { guard, cors, hsts } = this.#inForce;
    guard.check(request);
    if (hsts !== undefined) response.setHeader("strict-transport-security", hsts);
    return cors?.answer(request, response) ?? false;
  }

  /** The same for what pages of every origin may read. Throws HOST_REFUSED. */
  greetAnyone(request: IncomingMessage, response: ServerResponse): void {
    const { guard, hsts } = this.#inForce;
    guard.checkHost(request);
    if (hsts !== undefined) response.setHeader("strict-transport-security", hsts);
  }

  /** Throws HOST_REFUSED or ORIGIN_REFUSED. */
  guard(request: IncomingMessage): void {
    this.#inForce.guard.check(request);
  }

  /** Does a request carry a credential that is to be judged? */
  hasCredential(request: IncomingMessage): boolean {
    return this.#inForce.gatekeeper.hasCredential(request);
  }

  /** The access of who calls, if they may come in here. Throws or rejects with a FleetError that challenges. */
  admit(
    request: IncomingMessage,
    room: Room,
    server: string | undefined,
    address = this.#proxies.addressOf(request),
  ): Access | Promise<Access> {
    const { gatekeeper } = this.#inForce;
    const admitted = gatekeeper.admit(request, room, server, address);
    if (!(admitted instanceof Promise)) return this.accessOf(admitted);
    // Settings can change while a credential is checked.
    return admitted.then((principal) =>
      gatekeeper === this.#inForce.gatekeeper ? this.accessOf(principal) : this.admit(request, room, server, address),
    );
  }

  /** The same for a request that was admitted before. A refusal does not count as a wrong credential. */
  admitAgain(request: IncomingMessage, room: Room, server: string | undefined): Access | Promise<Access> {
    return this.admit(request, room, server, ownNetwork);
  }

  /** Protected resource metadata at this path; undefined when it is none. */
  metadata(path: string): object | undefined {
    return this.#inForce.gatekeeper.resource.document(path);
  }

  /** The path before `/mcp` as clients write it, which a proxy in front removes; empty without one. */
  get prefix(): string {
    return this.#inForce.gatekeeper.resource.prefix;
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

  /** Who may be told at an open path what there is: an admitted caller, and everybody where no credential is asked for. */
  viewerOf(request: IncomingMessage): Access | undefined {
    const known = this.#callers.get(request);
    return known ?? (this.#inForce.gatekeeper.asks ? undefined : this.accessOf(localPrincipal));
  }

  /** Who makes a request that came in. */
  callerOf(request: IncomingMessage): Access {
    return this.#callers.get(request) ?? this.accessOf(localPrincipal);
  }
}

async function prepare(
  { gateway, servers }: ResolvedConfig,
  { metrics, log, clock, now, audit, shared, failures: siblings }: SecurityOptions,
  store: BucketStore,
): Promise<InForce> {
  const { auth, authorization, rateLimiting: limits } = gateway;
  const requirements = new Map(servers.map(({ name, auth: requirement }) => [name, requirement]));
  const requirementOf = (server: string) => requirements.get(server);
  const failures = shared === undefined ? siblings : new SharedFailures(shared.redis, shared.prefix, siblings);
  const scopes = new ResourceScopes({ auth: auth ?? {}, requirements, rules: authorization?.rules ?? [] });
  const gatekeeper = new Gatekeeper({ auth, requirementOf, scopes, metrics, audit, clock, failures });
  const required = [...requirements.values()].some((requirement) => requirement !== undefined);
  const authorizer =
    authorization !== undefined || required
      ? await Authorizer.create({ authorization, requirementOf, resource: gatekeeper.resource, metrics, log, now })
      : undefined;
  const limited = new Map(servers.map(({ name, rateLimiting }) => [name, rateLimiting]));
  const limitsOf = (server: string) => limited.get(server);
  const limiter =
    limits !== undefined || [...limited.values()].some(Boolean)
      ? new Limiter({ limits, limitsOf, store, metrics })
      : undefined;
  const on = authorizer !== undefined || limiter !== undefined || audit !== undefined;
  return {
    guard: new RequestGuard({
      host: gateway.host,
      allowedHosts: gateway.allowedHosts,
      allowedOrigins: [...gateway.allowedOrigins, ...(gateway.cors?.origins ?? [])],
    }),
    cors: gateway.cors && new Cors(gateway.cors),
    hsts: hstsOf(gateway.tls),
    gatekeeper,
    stages: on ? { authorizer, limiter, audit, clock } : undefined,
    accesses: new WeakMap(),
  };
}

const oneYearSeconds = 31_536_000;

function hstsOf(tls: Tls | undefined): string | undefined {
  const seconds = tls === undefined ? 0 : (tls.hstsSeconds ?? oneYearSeconds);
  return seconds === 0 ? undefined : `max-age=${seconds}`;
}
