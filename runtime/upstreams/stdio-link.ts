import { FleetError } from "../errors.ts";
import type { Excess, MeasuredLimit } from "../orchestrator/limit-watch.ts";
import type { ProcessDriver, ProcessSpec } from "../orchestrator/process-driver.ts";
import type { DuplexLink, Receive } from "./duplex-connector.ts";
import { LineReader } from "./line-reader.ts";
import { LineWriter } from "./line-writer.ts";
import { readInTurns } from "./read-in-turns.ts";

/** Starts a process that speaks MCP on its standard streams, one message a line (basic/transports, stdio). */
export async function openProcess(driver: ProcessDriver, spec: ProcessSpec, receive: Receive): Promise<DuplexLink> {
  const child = await driver.start(spec);
  // A pipe that breaks belongs to a server that has ended, or wants no more: it is ended either way.
  const lines = new LineWriter(child.stdin, () => void child.stop(0));
  let reason: string | undefined;
  const abort = (why?: string) => {
    reason ??= why;
    return child.stop(0);
  };
  const reader = new LineReader(
    receive,
    (problem) => void abort(problem),
    (line) => receive(line.toString(), true),
  );
  const flow = readInTurns(child.stdout, (chunk) => reader.push(chunk));
  child.stdout.once("close", () => reader.close());
  return {
    pid: child.pid,
    get waiting() {
      return lines.waiting;
    },
    pause: () => flow.pause(),
    resume: () => flow.resume(),
    send: (message, onSent) => lines.send(message, onSent),
    // Its last words are in the log alone: they can hold what other callers have sent, and this goes to every caller.
    ended: child.ended.then(({ code, signal, over }) => {
      if (over !== undefined) return overLimit(spec.fleet, over);
      if (reason !== undefined) return reason;
      return signal === null ? `exit code ${code}` : `signal ${signal}`;
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
  diskMiB: "MiB in its temporary folder",
};

function overLimit(fleet: string, { limit, used, max }: Excess): FleetError {
  const fix = "ask for less in one call, or raise it";
  const text = `${fleet}: the server was ended: it used ${used} ${units[limit]}, more than limits.${limit} (${max}); ${fix}`;
  return new FleetError("INSTANCE_OVER_LIMIT", text);
}
