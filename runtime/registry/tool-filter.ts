/** `tools` of a fleet's configuration. */
export interface ToolRules {
  readonly allow?: readonly string[] | undefined;
  readonly deny: readonly string[];
  readonly aliases: Readonly<Record<string, string>>;
}

/** Which of its server's tools a fleet shows and lets be called. */
export class ToolFilter {
  readonly #allow: ReadonlySet<string> | undefined;
  readonly #deny: ReadonlySet<string>;
  readonly #aliases: ReadonlyMap<string, string>;

  constructor(rules: ToolRules) {
    this.#allow = rules.allow === undefined ? undefined : new Set(rules.allow);
    this.#deny = new Set(rules.deny);
    this.#aliases = new Map(Object.entries(rules.aliases));
  }

  /** The server's own name for a name or an alias. */
  resolve(name: string): string {
    return this.#aliases.get(name) ?? name;
  }

  permits(tool: string): boolean {
    return (this.#allow?.has(tool) ?? true) && !this.#deny.has(tool);
  }
}
