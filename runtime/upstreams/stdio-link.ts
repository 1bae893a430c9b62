import { FleetError } from "../errors.ts";
import type { Excess, MeasuredLimit } from "../orchestrator/limit-watch.ts";
import type { ProcessDriver, ProcessSpec } from "../orchestrator/process-driver.ts";
import type { DuplexLink } from "./duplex-connector.ts";
import { LineReader, lineTooLong } from "./line-reader.ts";
import { LineWriter } from "./line-writer.ts";

/** Starts a process that speaks MCP on its standard streams, one message a line (basic/transports, stdio). */
export async function openProcess(
  driver: ProcessDriver,
  spec: ProcessSpec,
  receive: (message: string) => void,
): Promise<DuplexLink> {
  const child = await driver.start(spec);
  // A pipe that breaks belongs to a server that has ended, or wants no more: it is ended either way.
  const lines = new LineWriter(child.stdin, () => void child.stop(0));
  let reason: string | undefined;
  const abort = (why?: string) => {
    reason ??= why;
    return child.stop(0);
  };
  const reader = new LineReader(receive, () => void abort(lineTooLong));
  child.stdout.on("data", (chunk: Buffer) => reader.push(chunk));
  return {
    pid: child.pid,
    get waiting() {
      return lines.waiting;
    },
    pause: () => void child.stdout.pause(),
    resume: () => void child.stdout.resume(),
    send: (message, onSent) => lines.send(message, onSent),
    ended: child.ended.then(({ code, signal, stderr, over }) => {
      if (over !== undefined) return overLimit(spec.fleet, over);
      if (reason !== undefined) return reason;
      return `${signal === null ? `exit code ${code}` : `signal ${signal}`}${lastWords(stderr)}`;
    }),
    close: () => {
      lines.flush();
      return child.stop();
    },
    abort,
  };
}

const units: Readonly<Record<MeasuredLimit, string>> = {
  memoryMiB: "MiB of memory",
  processes: "processes",
  cpuSeconds: "seconds of CPU time",
};

function overLimit(fleet: string, { limit, used, max }: Excess): FleetError {
  const fix = "ask for less in one call, or raise it";
  const text = `${fleet}: the server was ended: it used ${used} ${units[limit]}, more than limits.${limit} (${max}); ${fix}`;
  return new FleetError("INSTANCE_OVER_LIMIT", text);
}

function lastWords(stderr: string): string {
  const text = stderr.trim();
  return text === "" ? "" : `, last words: ${text.split("\n").slice(-3).join(" | ")}`;
}
