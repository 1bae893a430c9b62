import { FleetError } from "../errors.ts";
import { findCommand } from "./find-command.ts";

/** A program and its arguments. */
export interface Invocation {
  readonly executable: string;
  readonly args: readonly string[];
}

/** The same program with a bound on its open files, which it inherits from `prlimit` (util-linux). Throws COMMAND_NOT_FOUND. */
export function withOpenFiles(fleet: string, max: number | undefined, run: Invocation): Invocation {
  if (max === undefined) return run;
  const prlimit = prlimitFor(fleet, max);
  return { executable: prlimit, args: [`--nofile=${max}:${max}`, "--", run.executable, ...run.args] };
}

/** The same program as a member of control groups, given the files by which a process joins: it joins before it is run. */
export function withinGroup(joins: readonly string[], run: Invocation): Invocation {
  const script = 'while [ "$1" != -- ]; do echo 0 > "$1" || exit 125; shift; done; shift; exec "$@"';
  return { executable: "/bin/sh", args: ["-c", script, "sh", ...joins, "--", run.executable, ...run.args] };
}

/** The program that bounds open files. Throws COMMAND_NOT_FOUND. */
export function prlimitFor(fleet: string, max: number): string {
  const prlimit = toolOfSystem("prlimit");
  if (prlimit !== undefined) return prlimit;
  const fix = "install util-linux where the server runs, or remove it";
  const text = `servers.${fleet}.limits.openFiles: is ${max}, but prlimit is not on PATH; ${fix}`;
  throw new FleetError("COMMAND_NOT_FOUND", text);
}

/** A tool that bounds servers, on the gateway's own PATH: a server's says nothing about it. */
export function toolOfSystem(command: string): string | undefined {
  return findCommand(command, process.env.PATH ?? "", "/");
}
