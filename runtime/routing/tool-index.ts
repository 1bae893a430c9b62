import type MiniSearch from "minisearch";

/** A tool as it can be searched. */
export interface SearchableTool {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema?: { readonly properties?: Readonly<Record<string, unknown>> };
}

/** Words of a query that are searched for, and their length in characters: each is compared with every word of the index. */
const maxWords = 10;
const maxWordLength = 64;
/** Shortest beginning of a word that is searched for: many thousand words begin with any one letter. */
const minPrefix = 3;

/** Words of names in camel case, snake case or with hyphens, and of texts. */
const words = (text: string): string[] =>
  text
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");

/** A lexical index of tools (BM25+), made anew when the tools have changed. */
export class ToolIndex {
  readonly #key: string;
  readonly #tools: readonly SearchableTool[];
  readonly #index: MiniSearch;

  private constructor(key: string, tools: readonly SearchableTool[], index: MiniSearch) {
    this.#key = key;
    this.#tools = tools;
    this.#index = index;
  }

  /** The index of these tools; `before` if it is still right. */
  static async of(tools: readonly SearchableTool[], before: ToolIndex | undefined): Promise<ToolIndex> {
    const key = tools.map(({ name, description }) => `${name}\n${description ?? ""}`).join("\n");
    if (before !== undefined && before.#key === key) return before;
    // Loaded with the first search.
    const { default: Index } = await import("minisearch");
    const index = new Index({
      fields: ["name", "title", "description", "arguments"],
      tokenize: words,
      searchOptions: { boost: { name: 3, title: 2 }, prefix: (word) => word.length >= minPrefix, fuzzy: 0.15 },
    });
    index.addAll(
      tools.map(({ name, title, description, inputSchema }, id) => ({
        ...{ id, name, title: title ?? "", description: description ?? "" },
        arguments: Object.keys(inputSchema?.properties ?? {}).join(" "),
      })),
    );
    return new ToolIndex(key, tools, index);
  }

  search(query: string, limit: number): readonly SearchableTool[] {
    const wanted = new Set(words(query).map((word) => word.slice(0, maxWordLength).toLowerCase()));
    return this.#index
      .search([...wanted].slice(0, maxWords).join(" "))
      .slice(0, limit)
      .map(({ id }) => this.#tools[id] as SearchableTool);
  }
}
