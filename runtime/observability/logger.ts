import { basename, dirname } from "node:path";
import pino, { type DestinationStream, type Logger } from "pino";
import { createStream, type RotatingFileStream } from "rotating-file-stream";
import { narrow, privateFile } from "../private-files.ts";
import { guardSecrets } from "../secret-guard.ts";
import { safeJson } from "../terminal-text.ts";
import { Redactor } from "./redactor.ts";

/** `gateway.log` of a configuration, defaults applied. */
export interface LogOptions {
  readonly level: string;
  readonly file?: string | undefined;
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** A logger and the file behind it. */
export interface RunningLog {
  readonly log: Logger;
  /** Writes lines that another process of the gateway has made. */
  write(lines: string): void;
  close(): Promise<void>;
}

/**
 * Structured logs, one JSON object a line, on standard error or in a file that rotates by size and that only its owner can
 * read. What `secrets` holds, which errors do not show either while the log is open, the fields where clients send secrets, and characters that control terminals never reach a
 * line. Throws STATE_UNWRITABLE.
 */
export function startLog(options: LogOptions, secrets: () => readonly string[]): RunningLog {
  const file = options.file === undefined ? undefined : openFile(options.file, options);
  const redactor = new Redactor(secrets);
  const unguard = guardSecrets((text) => redactor.clean(text));
  const destination: DestinationStream = file ?? pino.destination({ dest: 2, sync: true });
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [
          ...["headers.authorization", "headers.cookie", "*.authorization", "*.cookie"],
          ...["*.token", "*.key", "*.password", "*.secret", "*.clientSecret", "*.assertion"],
        ],
        censor: "[redacted]",
      },
    },
    { write: (line: string) => destination.write(safeJson(redactor.clean(line))) },
  );
  return {
    log,
    write: (lines) => void destination.write(lines),
    close: () => {
      unguard();
      return file === undefined ? Promise.resolve() : new Promise((resolve) => file.end(resolve));
    },
  };
}

function openFile(path: string, { maxBytes, maxFiles }: LogOptions): RotatingFileStream {
  privateFile("gateway.log.file", path);
  const file = createStream(basename(path), { path: dirname(path), size: `${maxBytes}B`, maxFiles, mode: 0o600 });
  // Its list of rotated files.
  return file.on("history", () => narrow(`${path}.txt`));
}
