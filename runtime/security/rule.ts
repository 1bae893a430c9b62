import type { Condition } from "../config/schema/conditions.ts";
import type { Authorization } from "../config/schema/index.ts";
import type { Params } from "../protocol/json-rpc.ts";
import { normalUri } from "./normal-uri.ts";
import type { Principal } from "./principal.ts";
import type { Subject, SubjectKind } from "./subject.ts";

/** One entry of `gateway.authorization.rules`. */
export type RuleOptions = Authorization["rules"][number];

const hints = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: true,
} as const;
type Hint = keyof typeof hints;

/** One rule, ready to match. Its parts are looked at from the cheapest to the dearest. */
export class Rule {
  readonly effect: "allow" | "deny";
  readonly scopes: readonly string[];
  readonly condition: Condition | undefined;
  /** Does a match depend on what a tool says of itself? */
  readonly byAnnotation: boolean;
  /** Does it speak of single resources? */
  readonly byUri: boolean;
  readonly #callers: Glob;
  readonly #servers: Glob;
  readonly #roles: readonly string[] | undefined;
  readonly #names: Readonly<Record<Exclude<SubjectKind, "server">, Glob | undefined>>;
  readonly #anything: boolean;
  readonly #annotations: readonly (readonly [Hint, boolean])[];

  constructor(options: RuleOptions, condition: Condition | undefined) {
    const { effect, callers, roles, scopes = [], servers, annotations } = options;
    const { tools, prompts, resources, methods } = options;
    this.effect = effect;
    this.scopes = scopes;
    this.condition = condition;
    this.#callers = new Glob(callers);
    this.#servers = new Glob(servers);
    this.#roles = roles;
    this.#annotations = Object.entries(annotations ?? {}) as [Hint, boolean][];
    this.byAnnotation = this.#annotations.length > 0;
    // Annotations are of tools: a rule with them speaks of tools alone.
    const named = tools ?? (this.byAnnotation ? ["*"] : undefined);
    this.byUri = resources !== undefined;
    this.#anything = [named, prompts, resources, methods].every((names) => names === undefined);
    this.#names = {
      tools: named && new Glob(named),
      prompts: prompts && new Glob(prompts),
      resources: resources && new Glob(resources.map(normalUri)),
      methods: methods && new Glob(methods),
    };
  }

  /** Does it speak of this server? */
  ofServer(server: string): boolean {
    return this.#servers.matches(server);
  }

  /** Does it speak of this caller and this server, its scopes aside? */
  concerns({ caller, roles }: Principal, server: string): boolean {
    return (
      this.#servers.matches(server) &&
      this.#callers.matches(caller) &&
      (this.#roles === undefined || this.#roles.some((role) => roles.has(role)))
    );
  }

  /** Has the caller all of its scopes? */
  scoped({ scopes }: Principal): boolean {
    return this.scopes.every((scope) => scopes.has(scope));
  }

  /**
   * Does it speak of this subject, whose URI is in its normal form? `tool` is how the tool describes itself. A deny of the
   * whole server has no names.
   */
  covers({ kind, name }: Subject, tool: Params | undefined): boolean {
    if (kind === "server") return this.effect === "allow" || (this.#anything && this.condition === undefined);
    if (this.#anything) return true;
    if (this.#names[kind]?.matches(name) !== true) return false;
    const said = (tool?.annotations ?? {}) as Params;
    return this.#annotations.every(([hint, wanted]) => (said[hint] ?? hints[hint]) === wanted);
  }
}

/** Patterns in which `*` stands for any text; none match everything. */
class Glob {
  readonly #patterns: readonly (readonly string[])[] | undefined;

  constructor(patterns: readonly string[] | undefined) {
    this.#patterns = patterns?.map((pattern) => pattern.split("*"));
  }

  matches(text: string): boolean {
    return this.#patterns === undefined || this.#patterns.some((parts) => fits(text, parts));
  }
}

/** Is the text made of these parts, with anything between them? Without a regular expression, whose time a caller could stretch. */
function fits(text: string, parts: readonly string[]): boolean {
  const first = parts[0] as string;
  const last = parts.at(-1) as string;
  if (parts.length === 1) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
