import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process, told from a stranger that got the same pid later by the time at which it was started. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** The identity of a living process; undefined when there is none, or only a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startedAt = process.platform === "linux" ? startTicks(pid) : startText(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Is that very process still there? */
export function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  const found = identify(pid);
  if (found === undefined || found.startedAt === startedAt) return found !== undefined;
  // Earlier versions have written it in the time zone of the machine.
  return process.platform !== "linux" && startText(pid, process.env) === startedAt;
}

/** Sends a signal to a process group, or to the process alone when it leads none; silent when it has gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (!sendSignal(-pid, signal)) sendSignal(pid, signal);
}

/** Sends a signal to a process; false when it has gone, or when there is no group of that name. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Field 22 of /proc/<pid>/stat (proc(5)); the name before it may hold blanks and parentheses. */
function startTicks(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}

/** What ps(1) says, which goes by the time zone and the language of its environment: the same ones at every time. */
export function startText(
  pid: number,
  env: NodeJS.ProcessEnv = { ...process.env, TZ: "UTC", LC_ALL: "C" },
): string | undefined {
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", env }).trim() || undefined;
  } catch {
    return undefined;
  }
}
