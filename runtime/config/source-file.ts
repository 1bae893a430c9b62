import { readFile } from "node:fs/promises";
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import { FleetError, messageOf } from "../errors.ts";
import type { ConfigPath } from "./schema/index.ts";

/** How many values the aliases of a file can stand for, before it is taken for an attack on memory. */
const maxAliasCount = 100;

/** A place in a file, counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One YAML or JSON file (JSON is a part of YAML 1.2), with the place of everything in it. */
export class SourceFile {
  readonly path: string;
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;

  private constructor(path: string, document: Document, lines: LineCounter, value: unknown) {
    this.path = path;
    this.#document = document;
    this.#lines = lines;
    this.value = value;
  }

  /** Rejects with CONFIG_UNREADABLE, or with CONFIG_INVALID for what is no YAML. */
  static async read(path: string): Promise<SourceFile> {
    const text = await readFile(path, "utf8").catch((error) => {
      throw new FleetError(
        "CONFIG_UNREADABLE",
        `${path} cannot be read (${messageOf(error)}); give the path of a configuration file`,
      );
    });
    const lines = new LineCounter();
    const invalid = (offset: number, problem: string, fix: string) => {
      const { line, col } = lines.linePos(offset);
      return new FleetError("CONFIG_INVALID", `${path}:${line}:${col}: ${problem}; ${fix}`);
    };
    let document: Document.Parsed | undefined;
    try {
      document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
      const [error] = document.errors;
      if (error !== undefined) throw invalid(error.pos[0], error.message.replace(/\.$/, ""), "correct the syntax");
      return new SourceFile(path, document, lines, plainValue(document));
    } catch (error) {
      if (error instanceof FleetError) throw error;
      const [problem, fix] = unbuildable(error);
      throw invalid(document === undefined ? 0 : firstAlias(document), problem, fix);
    }
  }

  /** Where a path stands; of a missing key, where its parent does. */
  place(path: ConfigPath): Place {
    let node: unknown = this.#document.contents;
    let offset = startOf(node);
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
        if (pair === undefined) break;
        offset = startOf(pair.key);
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(part)];
        offset = startOf(node);
      } else break;
    }
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }
}

/** What the document stands for. Throws when aliases make too much of it, or make it part of itself. */
function plainValue(document: Document): unknown {
  const value: unknown = document.toJS({ maxAliasCount }) ?? {};
  // Throws for a value that holds itself.
  JSON.stringify(value);
  return value;
}

/** What keeps a document from becoming a value, and the fix. */
function unbuildable(error: unknown): readonly [problem: string, fix: string] {
  const text = messageOf(error);
  if (/stack/i.test(text)) return ["is nested too deeply", "write it flatter"];
  if (/unresolved alias/i.test(text)) return ["has an alias without an anchor before it", "correct the name"];
  if (/alias/i.test(text)) return ["has aliases that expand to too much", "write the values out"];
  return ["has an alias that stands for what it is part of", "write the value out"];
}

function firstAlias(document: Document): number {
  let offset = 0;
  visit(document, {
    Alias: (_key, node) => {
      offset = startOf(node);
      return visit.BREAK;
    },
  });
  return offset;
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}
