import type { Logger } from "pino";
import type { Authorization, Requirement } from "../config/schema/index.ts";
import { FleetError } from "../errors.ts";
import type { SecurityMetrics } from "../observability/security-metrics.ts";
import { type ExactNumber, withNumbers } from "../protocol/exact-number.ts";
import type { Params } from "../protocol/json-rpc.ts";
import type { CatalogKind } from "../registry/catalog.ts";
import type { Fleet } from "../registry/fleet.ts";
import { boundedText } from "./bounded-text.ts";
import { compileConditions } from "./conditions.ts";
import { ambiguityOf, normalUri } from "./normal-uri.ts";
import type { Principal } from "./principal.ts";
import type { ProtectedResource } from "./protected-resource.ts";
import { missingScopes, satisfies } from "./requirement.ts";
import { Rule } from "./rule.ts";
import { union } from "./scopes.ts";
import { type Subject, subjectOf } from "./subject.ts";

export interface AuthorizerOptions {
  /** `gateway.authorization`; without it only what servers require counts. */
  readonly authorization: Authorization | undefined;
  /** `servers.<name>.auth`. */
  readonly requirementOf: (server: string) => Requirement | undefined;
  readonly resource: ProtectedResource;
  readonly metrics: SecurityMetrics;
  readonly log: Logger;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** What rules say of one caller and one subject; only conditions over arguments are left to ask at each call. */
interface Decision {
  readonly denied: string | undefined;
  readonly denyWhen: readonly Rule[];
  readonly allowed: boolean;
  readonly allowWhen: readonly Rule[];
  /** Scopes that would make the difference. */
  readonly scopes: readonly string[];
  readonly until: number;
}

/** Decisions of one caller, by server, kind and name. */
export type Decisions = Map<string, Record<Subject["kind"], Map<string, Decision>>>;

/** Names per kind of one server for which a caller's decisions are kept; past it they are made anew. */
const maxNames = 2000;
/** Longer names are not kept: they come from callers. */
const maxKeptName = 256;
/** A server may change what its tools say of themselves without a notice; lists are read again after as long. */
const annotatedMs = 30_000;
const whole: Subject = { kind: "server", name: "" };
const kindOf = { tools: "tools", prompts: "prompts", resources: "resources", resourceTemplates: "resources" } as const;

/** Decides what a caller may use. Deny wins; what depends on names alone is decided once per caller and kept. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #rules: readonly Rule[];
  readonly #default: boolean;
  readonly #dryRun: boolean;
  readonly #byUri: boolean;

  private constructor(options: AuthorizerOptions, rules: readonly Rule[]) {
    const { authorization } = options;
    this.#options = options;
    this.#rules = rules;
    this.#default = authorization === undefined || authorization.default === "allow";
    this.#dryRun = authorization?.mode === "dry-run";
    this.#byUri = rules.some(({ byUri }) => byUri);
  }

  /** Rejects with CONFIG_INVALID for an expression that does not compile. */
  static async create(options: AuthorizerOptions): Promise<Authorizer> {
    const rules = options.authorization?.rules ?? [];
    const conditions = await compileConditions(rules.map(({ when }) => when));
    return new Authorizer(
      options,
      rules.map((rule, index) => new Rule(rule, conditions[index])),
    );
  }

  /**
   * Refuses what the caller may not do: at once, or after a look at the tool. Throws or rejects with FORBIDDEN or
   * SCOPE_MISSING, and with INVALID_PARAMS for a URI that no rule can be compared with.
   */
  check(
    principal: Principal,
    decisions: Decisions,
    fleet: Fleet,
    method: string,
    params: Params | undefined,
    subject: Subject = subjectOf(method, params),
  ): Promise<void> | undefined {
    if (this.#byUri && subject.kind === "resources") checkUri(subject.name);
    const kept = this.#kept(decisions, fleet.name, subject);
    if (kept === undefined && subject.kind === "tools" && this.#rules.some(({ byAnnotation }) => byAnnotation)) {
      return fleet.tool(subject.name).then((tool) => {
        const decision = this.#decide(principal, decisions, fleet.name, subject, tool);
        this.#enforce(decision, principal, fleet.name, subject, method, params);
      });
    }
    const decision = kept ?? this.#decide(principal, decisions, fleet.name, subject, undefined);
    this.#enforce(decision, principal, fleet.name, subject, method, params);
    return undefined;
  }

  /** Of a list, what the caller may use; what depends on arguments is shown. */
  visible<Item>(
    principal: Principal,
    decisions: Decisions,
    fleet: Fleet,
    kind: CatalogKind,
    items: readonly Item[],
  ): readonly Item[] {
    if (this.#dryRun) return this.reaches(principal, decisions, fleet.name) ? items : [];
    return items.filter((item) => {
      const { name, uri, uriTemplate } = item as Params;
      const subject: Subject = {
        kind: kindOf[kind],
        name: String(kind === "resources" ? uri : kind === "resourceTemplates" ? uriTemplate : name),
      };
      const decision =
        this.#kept(decisions, fleet.name, subject) ??
        this.#decide(principal, decisions, fleet.name, subject, item as Params);
      return decision.denied === undefined && (decision.allowed || decision.allowWhen.length > 0);
    });
  }

  /**
   * May the caller learn that there is this server: can it use anything of it, or could it with more scopes? What is
   * hidden is noted as a refusal, and looks to the caller like a server that does not exist.
   */
  knows(principal: Principal, decisions: Decisions, server: string): boolean {
    if (this.reaches(principal, decisions, server)) return true;
    const { denied, scopes } = this.#whole(principal, decisions, server);
    if (scopes.length > 0) return true;
    this.#note(denied ?? "default", principal, server, whole);
    return false;
  }

  /** May the caller use anything of the server? */
  reaches(principal: Principal, decisions: Decisions, server: string): boolean {
    const decision = this.#whole(principal, decisions, server);
    if (this.#dryRun) return decision.denied !== "requirement";
    return decision.denied === undefined && (decision.allowed || decision.allowWhen.length > 0);
  }

  #whole(principal: Principal, decisions: Decisions, server: string): Decision {
    return this.#kept(decisions, server, whole) ?? this.#decide(principal, decisions, server, whole, undefined);
  }

  #kept(decisions: Decisions, server: string, { kind, name }: Subject): Decision | undefined {
    const kept = decisions.get(server)?.[kind].get(name);
    return kept !== undefined && this.#options.now() < kept.until ? kept : undefined;
  }

  #decide(
    principal: Principal,
    decisions: Decisions,
    server: string,
    subject: Subject,
    tool: Params | undefined,
  ): Decision {
    const requirement = this.#options.requirementOf(server);
    const named = subject.kind === "resources" ? { ...subject, name: normalUri(subject.name) } : subject;
    let denied: string | undefined;
    let allowed = this.#default;
    let scopes: readonly string[] = [];
    let until = Number.POSITIVE_INFINITY;
    const denyWhen: Rule[] = [];
    const allowWhen: Rule[] = [];
    for (const rule of this.#rules) {
      if (!rule.concerns(principal, server)) continue;
      if (rule.byAnnotation) until = this.#options.now() + annotatedMs;
      if (!rule.covers(named, tool)) continue;
      if (rule.effect === "deny") {
        if (!rule.scoped(principal)) continue;
        if (rule.condition === undefined) denied = "rule";
        else denyWhen.push(rule);
      } else if (!rule.scoped(principal)) scopes = scopes.length === 0 ? rule.scopes : scopes;
      else if (rule.condition === undefined) allowed = true;
      else allowWhen.push(rule);
    }
    if (requirement !== undefined && !satisfies(principal, requirement)) {
      denied = "requirement";
      // What a rule wants besides is asked for at once, unless another rule allows it.
      if (missingScopes(principal, requirement).length > 0)
        scopes = union(requirement.scopes, allowed ? undefined : scopes);
    }
    const ofServer = decisions.get(server) ?? {
      tools: new Map(),
      prompts: new Map(),
      resources: new Map(),
      methods: new Map(),
      server: new Map(),
    };
    decisions.set(server, ofServer);
    const names = ofServer[subject.kind];
    const decision: Decision = { denied, denyWhen, allowed, allowWhen, scopes, until };
    if (subject.name.length > maxKeptName) return decision;
    if (names.size >= maxNames) names.clear();
    names.set(subject.name, decision);
    return decision;
  }

  #enforce(
    decision: Decision,
    principal: Principal,
    server: string,
    subject: Subject,
    method: string,
    params: Params | undefined,
  ): void {
    let { denied, allowed } = decision;
    // Its arguments passed the conditions when the task was made, and are not known any more.
    if (subject.ofTask === true) allowed ||= decision.allowWhen.length > 0;
    else if (decision.denyWhen.length > 0 || (!allowed && decision.allowWhen.length > 0)) {
      const context = contextOf(principal, server, subject, method, params);
      // What cannot be evaluated denies, and allows nothing.
      if (decision.denyWhen.some((rule) => outcomeOf(rule, context) !== false)) denied ??= "expression";
      allowed ||= decision.allowWhen.some((rule) => outcomeOf(rule, context) === true);
    }
    if (denied === undefined && allowed) return;
    this.#refuse(denied ?? "default", decision.scopes, principal, server, subject);
  }

  /** The refusal with a challenge that names the metadata of `/mcp/<server>`: clients compare it with the URL that they know. */
  refusalAt(server: string | undefined, error: FleetError, principal: Principal): FleetError {
    const { code, message, data } = error;
    if (code !== "SCOPE_MISSING" || server === undefined) return error;
    const challenge = this.#options.resource.stepUp(
      { room: "mcp", server },
      data?.requiredScopes as readonly string[],
      principal,
    );
    return new FleetError(code, message, { cause: error, data, headers: { "www-authenticate": challenge } });
  }

  /** Counts and logs a refusal; true when it is none, because rules only try out (`mode: dry-run`). */
  #note(reason: string, { caller }: Principal, server: string, { kind, name }: Subject): boolean {
    const { metrics, log } = this.#options;
    const tried = this.#dryRun && reason !== "requirement";
    metrics.denied(server, this.#dryRun ? "dry_run" : reason);
    log.info(
      // Of the server as a whole there is no other name.
      kind === "server" ? { caller, server, reason } : { caller, server, [kind]: boundedText(name), reason },
      tried ? "authorization (dry run): would be refused" : "authorization: refused",
    );
    return tried;
  }

  #refuse(reason: string, scopes: readonly string[], principal: Principal, server: string, subject: Subject): void {
    if (this.#note(reason, principal, server, subject)) return;
    const { caller } = principal;
    const what =
      subject.kind === "server" ? `the server "${server}"` : `"${boundedText(subject.name)}" of the server "${server}"`;
    if (scopes.length === 0) throw new FleetError("FORBIDDEN", `Forbidden: "${caller}" may not use ${what}`);
    const { resource } = this.#options;
    throw new FleetError("SCOPE_MISSING", `Forbidden: ${what} needs the scopes ${scopes.join(" ")}; ask for them`, {
      data: { requiredScopes: scopes },
      headers: { "www-authenticate": resource.stepUp({ room: "mcp", server: undefined }, scopes, principal) },
    });
  }
}

/** Throws INVALID_PARAMS for a URI that a rule would see in one way and a server in another. */
function checkUri(uri: string): void {
  const ambiguity = ambiguityOf(uri);
  if (ambiguity !== undefined) throw new FleetError("INVALID_PARAMS", `Invalid params: the URI ${ambiguity}`);
}

/** What a `when` sees. */
function contextOf(
  { caller, method: by, scopes, roles, claims }: Principal,
  server: string,
  { kind, name }: Subject,
  method: string,
  params: Params | undefined,
): object {
  return {
    caller: { name: caller, method: by, scopes: [...scopes], roles: [...roles], claims },
    server,
    method,
    tool: kind === "tools" ? name : "",
    name,
    args: withNumbers(params?.arguments ?? {}, wholeOrDouble),
  };
}

/** A whole number is judged by all its digits, as the server reads it: CEL has integers. */
const wholeOrDouble = (number: ExactNumber): unknown => number.key;

/** True or false; undefined for what cannot be evaluated. */
function outcomeOf({ condition }: Rule, context: object): boolean | undefined {
  try {
    const value = condition?.(context);
    return typeof value === "boolean" ? value : undefined;
  } catch {
    return undefined;
  }
}
