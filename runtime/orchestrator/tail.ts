import { excerpt, excerptMargin } from "../secret-guard.ts";

/** Lines and characters that are kept. */
const maxLines = 20;
const maxLineLength = 500;

/** The last lines of a stream, for the log, without secrets; each line goes to a listener as it comes. */
export class Tail {
  readonly #onLine: (line: string) => void;
  #lines: string[] = [];
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  get text(): string {
    return [...this.#lines, excerpt(this.#rest, maxLineLength)].filter((line) => line !== "").join("\n");
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString("utf8")).split("\n");
    this.#rest = (lines.pop() as string).slice(0, maxLineLength + excerptMargin);
    for (const line of lines) {
      if (line === "") continue;
      const short = excerpt(line, maxLineLength).trimEnd();
      if (short === "") continue;
      this.#lines.push(short);
      this.#onLine(short);
    }
    this.#lines = this.#lines.slice(-maxLines);
  }
}
