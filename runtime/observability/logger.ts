import { mkdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import pino, { type DestinationStream, type Logger } from "pino";
import { createStream, type RotatingFileStream } from "rotating-file-stream";

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

const redacted = "[redacted]";

/**
 * Structured logs, one JSON object a line, on standard error or in a file that rotates by size. Whatever `secrets`
 * holds, and the fields where clients send secrets, never reach a line.
 */
export function startLog(options: LogOptions, secrets: () => readonly string[]): RunningLog {
  const file = options.file === undefined ? undefined : openFile(options.file, options);
  const destination: DestinationStream = file ?? pino.destination({ dest: 2, sync: true });
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ["headers.authorization", "headers.cookie", "*.token", "*.key", "*.password"],
        censor: redacted,
      },
    },
    { write: (line: string) => destination.write(withoutSecrets(line, secrets())) },
  );
  return {
    log,
    write: (lines) => void destination.write(lines),
    close: () => (file === undefined ? Promise.resolve() : new Promise((resolve) => file.end(resolve))),
  };
}

function openFile(path: string, { maxBytes, maxFiles }: LogOptions): RotatingFileStream {
  mkdirSync(dirname(path), { recursive: true });
  return createStream(basename(path), { path: dirname(path), size: `${maxBytes}B`, maxFiles });
}

function withoutSecrets(line: string, secrets: readonly string[]): string {
  let clean = line;
  for (const secret of secrets) if (secret !== "" && clean.includes(secret)) clean = clean.replaceAll(secret, redacted);
  return clean;
}
