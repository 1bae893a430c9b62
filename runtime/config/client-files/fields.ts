type Fields = Readonly<Record<string, unknown>>;

/** The members of an object; none for everything else. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** Reads one entry of a client's file, and remembers which of its fields were asked for. */
export class EntryFields {
  readonly #fields: Fields;
  readonly #read = new Set<string>();

  constructor(value: unknown) {
    this.#fields = fieldsOf(value);
  }

  /** The first of these fields that is there. */
  raw(...names: readonly string[]): unknown {
    for (const name of names) this.#read.add(name);
    const name = names.find((each) => this.#fields[each] !== undefined && this.#fields[each] !== null);
    return name === undefined ? undefined : this.#fields[name];
  }

  text(...names: readonly string[]): string | undefined {
    const value = this.raw(...names);
    return value === undefined || typeof value === "object" ? undefined : String(value);
  }

  number(...names: readonly string[]): number | undefined {
    const value = this.raw(...names);
    return typeof value === "number" && value > 0 ? value : undefined;
  }

  texts(...names: readonly string[]): readonly string[] | undefined {
    const value = this.raw(...names);
    // One word alone is a list of one.
    if (typeof value === "string") return [value];
    return Array.isArray(value) ? value.map(String) : undefined;
  }

  /** Numbers and booleans become text, as clients pass them on; what is `null` is left out. */
  map(...names: readonly string[]): Readonly<Record<string, string>> {
    const entries = Object.entries(fieldsOf(this.raw(...names)));
    return Object.fromEntries(
      entries
        .filter(([, value]) => value !== null && typeof value !== "object")
        .map(([key, value]) => [key, String(value)]),
    );
  }

  /** Fields that nobody asked for. */
  get unread(): readonly string[] {
    return Object.keys(this.#fields).filter((name) => !this.#read.has(name));
  }
}
