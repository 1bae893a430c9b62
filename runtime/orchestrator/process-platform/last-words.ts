import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** The end of a log in which last words are looked for. */
const tailBytes = 256 * 1024;

/** One line of the gateway's log, as far as it is read. */
interface LogLine {
  readonly msg?: unknown;
  readonly fleet?: unknown;
  readonly stderr?: unknown;
}

/**
 * What the newest process of a server that has failed wrote last, by the gateway's log, where secrets have been taken out.
 * Undefined where the log does not say.
 */
export function lastWordsOf(logFile: string, server: string): string | undefined {
  for (const line of tailOf(logFile).split("\n").reverse()) {
    if (!line.includes('"last words"')) continue;
    const { msg, fleet, stderr } = parsed(line);
    if (msg === "last words" && fleet === server && typeof stderr === "string") {
      return stderr.split("\n").slice(-3).join(" | ");
    }
  }
  return undefined;
}

function tailOf(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, tailBytes));
    const read = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString("utf8", 0, read);
  } finally {
    closeSync(descriptor);
  }
}

/** The first line of the tail is cut. */
function parsed(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return {};
  }
}
