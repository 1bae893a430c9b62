import { readFile } from "node:fs/promises";
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { FleetError, messageOf } from "../errors.ts";
import type { ConfigPath } from "./schema/index.ts";

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

  private constructor(path: string, document: Document, lines: LineCounter) {
    this.path = path;
    this.#document = document;
    this.#lines = lines;
    this.value = document.toJS() ?? {};
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
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const [error] = document.errors;
    if (error === undefined) return new SourceFile(path, document, lines);
    const { line, col } = lines.linePos(error.pos[0]);
    throw new FleetError(
      "CONFIG_INVALID",
      `${path}:${line}:${col}: ${error.message.replace(/\.$/, "")}; correct the syntax`,
    );
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

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}
