import type { Auth, Requirement } from "../config/schema/index.ts";
import type { Room } from "./gatekeeper.ts";
import { Rule, type RuleOptions } from "./rule.ts";
import { union } from "./scopes.ts";

export interface ResourceScopesOptions {
  readonly auth: Auth;
  /** `servers.<name>.auth`, by server. */
  readonly requirements: ReadonlyMap<string, Requirement | undefined>;
  /** `gateway.authorization.rules`. */
  readonly rules: readonly RuleOptions[];
}

/** Which scopes clients are told to ask for (RFC 6750, section 3; RFC 9728, section 2). */
export class ResourceScopes {
  readonly #options: ResourceScopesOptions;
  readonly #rules: readonly Rule[];

  constructor(options: ResourceScopesOptions) {
    this.#options = options;
    this.#rules = options.rules
      .filter(({ effect, scopes }) => effect === "allow" && scopes !== undefined)
      .map((rule) => new Rule(rule, undefined));
  }

  /** Scopes of a first login at an interface, or at one server of it: without them the caller is not let in. */
  first(room: Room, server: string | undefined): readonly string[] {
    const { auth, requirements } = this.#options;
    const there = server === undefined ? undefined : requirements.get(server);
    return union(auth.oauth?.scopes, auth.listeners?.[room]?.scopes, there?.scopes);
  }

  /** All scopes that can be of use there: clients are registered with these. */
  supported(room: Room, server: string | undefined): readonly string[] {
    const rules = this.#rules.filter((rule) => server === undefined || rule.ofServer(server));
    const servers = server === undefined ? [...this.#options.requirements.values()] : [];
    return union(
      this.first(room, server),
      ...servers.map((requirement) => requirement?.scopes),
      ...rules.map(({ scopes }) => scopes),
    );
  }
}
