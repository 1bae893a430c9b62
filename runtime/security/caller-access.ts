import { FleetError } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { CatalogKind } from "../registry/catalog.ts";
import type { Fleet, FleetClient } from "../registry/fleet.ts";
import type { Access } from "./access.ts";
import type { AuditEntry, AuditLog } from "./audit-log.ts";
import type { Authorizer, Decisions } from "./authorizer.ts";
import type { CallerBounds, Limiter } from "./limits/limiter.ts";
import { hasExpired, type Principal } from "./principal.ts";
import { type Subject, subjectOf } from "./subject.ts";

/** The stages between a caller and the fleets; what is not configured is not there. */
export interface AccessStages {
  readonly authorizer?: Authorizer | undefined;
  readonly limiter?: Limiter | undefined;
  readonly audit?: AuditLog | undefined;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Lists of a server that are relayed as it gives them: what they hold is looked through. */
const listed: Readonly<Record<string, CatalogKind>> = {
  "tools/list": "tools",
  "prompts/list": "prompts",
  "resources/list": "resources",
  "resources/templates/list": "resourceTemplates",
};

/** The access of one caller, through every stage that is configured. Made once per credential. */
export class CallerAccess implements Access {
  readonly principal: Principal;
  readonly #stages: AccessStages;
  readonly #decisions: Decisions = new Map();
  readonly #bounds: CallerBounds = new Map();

  constructor(principal: Principal, stages: AccessStages) {
    this.principal = principal;
    this.#stages = stages;
  }

  enter(method: string, exchange: Exchange, cost = 1): Promise<void> | undefined {
    // The caller that opens a session has just been admitted, with the allowed difference of clocks.
    if (method !== "initialize") this.#alive();
    const { limiter } = this.#stages;
    return limiter?.admit(limiter.boundsFor(this.principal.caller, this.#bounds, "", ""), exchange, cost);
  }

  check(fleet: Fleet, method: string, params: Params | undefined): Promise<void> | undefined {
    this.#gate(fleet, method, params, undefined);
    const subject = subjectOf(method, params);
    const { audit } = this.#stages;
    // The one call that is judged here and sent for all who want to hear of the resource.
    const entry =
      method === "resources/subscribe" ? audit?.begin(this.principal, fleet.name, method, params, subject) : undefined;
    if (audit === undefined || entry === undefined) return this.#judge(fleet, method, params, subject);
    return this.#noted(audit, entry, async () => {
      await this.#judge(fleet, method, params, subject);
      return { result: {} };
    }).then(() => {});
  }

  /** What a fleet lets nobody do is noted as well: somebody has tried. */
  #gate(fleet: Fleet, method: string, params: Params | undefined, tool: string | undefined): void {
    try {
      fleet.gate.check(method, params, tool);
    } catch (error) {
      if (error instanceof FleetError)
        this.#stages.audit?.stopped(this.principal, fleet.name, method, params, error.code);
      throw error;
    }
  }

  #judge(fleet: Fleet, method: string, params: Params | undefined, subject: Subject): Promise<void> | undefined {
    this.#alive();
    return this.#stages.authorizer?.check(this.principal, this.#decisions, fleet, method, params, subject);
  }

  call(
    fleet: Fleet,
    client: FleetClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
    tool?: string,
  ): Promise<RpcReply> {
    // Read once: rules, limits and the audit log speak of the same thing.
    this.#gate(fleet, method, params, tool);
    const subject = subjectOf(method, params, tool);
    const { audit } = this.#stages;
    const entry = audit?.begin(this.principal, fleet.name, method, params, subject);
    return audit === undefined || entry === undefined
      ? this.#admitted(fleet, client, method, params, exchange, subject)
      : this.#noted(audit, entry, () => this.#admitted(fleet, client, method, params, exchange, subject));
  }

  async #noted(
    audit: AuditLog,
    beginning: AuditEntry | Promise<AuditEntry>,
    call: () => Promise<RpcReply>,
  ): Promise<RpcReply> {
    const entry = beginning instanceof Promise ? await beginning : beginning;
    try {
      const reply = await call();
      audit.end(entry, "error" in reply ? "error" : "ok");
      return reply;
    } catch (error) {
      audit.end(entry, error instanceof FleetError ? error.code : "INTERNAL");
      throw error;
    }
  }

  async #admitted(
    fleet: Fleet,
    client: FleetClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
    subject: Subject,
  ): Promise<RpcReply> {
    const checking = this.#judge(fleet, method, params, subject);
    if (checking !== undefined) await checking;
    const { limiter } = this.#stages;
    if (limiter === undefined) return this.#send(fleet, client, method, params, exchange, subject);
    const { caller } = this.principal;
    const bounds =
      method === "tools/call"
        ? limiter.boundsOfTool(caller, this.#bounds, fleet.name, subject.name, fleet, client)
        : limiter.boundsFor(caller, this.#bounds, fleet.name, "");
    const admitting = limiter.admit(bounds, exchange);
    if (admitting !== undefined) await admitting;
    limiter.begin(bounds);
    try {
      return await this.#send(fleet, client, method, params, exchange, subject);
    } finally {
      limiter.end(bounds);
    }
  }

  async #send(
    fleet: Fleet,
    client: FleetClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
    { ofTask, name }: Subject,
  ): Promise<RpcReply> {
    exchange.judge = this;
    const reply = await fleet.call(client, method, params, exchange, ofTask === true ? name : undefined);
    const kind = listed[method];
    return kind === undefined ? reply : this.#filtered(fleet, kind, reply);
  }

  refusal(error: FleetError, server: string | undefined): FleetError {
    return this.#stages.authorizer?.refusalAt(server, error, this.principal) ?? error;
  }

  visible<Item>(fleet: Fleet, kind: CatalogKind, items: readonly Item[]): readonly Item[] {
    const { authorizer } = this.#stages;
    return authorizer === undefined ? items : authorizer.visible(this.principal, this.#decisions, fleet, kind, items);
  }

  reaches({ name }: Fleet): boolean {
    return this.#stages.authorizer?.reaches(this.principal, this.#decisions, name) ?? true;
  }

  knows({ name }: Fleet): boolean {
    return this.#stages.authorizer?.knows(this.principal, this.#decisions, name) ?? true;
  }

  /** A connection may outlive the credential that it came with. Throws TOKEN_REFUSED. */
  #alive(): void {
    if (hasExpired(this.principal, this.#stages.clock())) {
      throw new FleetError("TOKEN_REFUSED", "Unauthorized: the token is not accepted: it has expired");
    }
  }

  /** A page of a list without what the caller may not use; nobody else may be shown it (server/utilities/caching). */
  #filtered(fleet: Fleet, kind: CatalogKind, reply: RpcReply): RpcReply {
    if (!("result" in reply) || this.#stages.authorizer === undefined) return reply;
    const result = reply.result as Params;
    const items = result[kind];
    if (!Array.isArray(items)) return reply;
    const scope = "cacheScope" in result ? { cacheScope: "private" } : {};
    return { result: { ...result, [kind]: this.visible(fleet, kind, items), ...scope } };
  }
}
