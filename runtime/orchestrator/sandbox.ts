import { existsSync, lstatSync, readlinkSync, statSync } from "node:fs";
import { FleetError } from "../errors.ts";
import { type Invocation, toolOfSystem } from "./invocation.ts";
import { programs, systemFiles } from "./own-paths.ts";
import type { SandboxPlan } from "./sandbox-plan.ts";

/** What is to run in a sandbox. */
export interface SandboxedRun extends Invocation {
  readonly fleet: string;
  readonly plan: SandboxPlan;
  readonly network: boolean;
  /** The instance's temporary folder: in memory, of this size. */
  readonly folder: string;
  readonly folderBytes: number;
  readonly cwd: string;
  /** Descriptor from which bubblewrap reads the filter of system calls; undefined where there is none. */
  readonly filter: number | undefined;
}

/** Processes of a sandbox besides those of the server: bubblewrap outside, and the first process inside. */
export const sandboxProcesses = 2;

/** Places of a sandbox that are in memory, besides its temporary folder. */
export const inMemory = ["/tmp", "/dev/shm"];
/** Of each of them. */
const temporaryBytes = 64 * 2 ** 20;

/**
 * The same program within bubblewrap: namespaces of its own for files, processes, network and the rest, no capability,
 * no further namespaces, and no file but the system's programs, what its plan binds, and its temporary folder. Ends with
 * the gateway. Throws SANDBOX_UNAVAILABLE.
 */
export function sandboxed(run: SandboxedRun): Invocation {
  const bubblewrap = bubblewrapFor(run.fleet);
  const { folder, folderBytes, cwd, executable, plan, network, filter } = run;
  const mounts: Mount[] = [
    ...[["/proc", processes()] as const, ["/dev", device] as const],
    ["/tmp", temporary("/tmp", temporaryBytes)],
    ...programs.map((path): Mount => [path, programFolder(path)]),
    ...systemFiles().map((path): Mount => [path, ["--ro-bind-try", path, path]]),
    ...plan.binds.map(
      ({ source, place, writable }): Mount => [place, [writable ? "--bind" : "--ro-bind", source, place]],
    ),
    ...plan.covered.map((path): Mount => [path, cover(path)]),
    [folder, temporary(folder, folderBytes)],
  ];
  return {
    executable: bubblewrap,
    args: [
      ...["--unshare-all", ...(network ? ["--share-net"] : []), "--new-session", "--die-with-parent"],
      ...["--cap-drop", "ALL", ...(filter === undefined ? [] : ["--seccomp", String(filter)])],
      // A mount covers what is beneath it: folders come before what they hold, whatever each of them allows.
      ...mounts.sort(([one], [other]) => depthOf(one) - depthOf(other)).flatMap(([, args]) => args),
      ...["--remount-ro", "/", "--chdir", cwd, "--", executable, ...run.args],
    ],
  };
}

/** The program that makes sandboxes. Throws SANDBOX_UNAVAILABLE. */
export function bubblewrapFor(fleet: string): string {
  const bubblewrap = toolOfSystem("bwrap");
  if (bubblewrap !== undefined) return bubblewrap;
  const fix = "install bubblewrap on this machine (Linux), or remove it";
  const text = `servers.${fleet}.sandbox: bubblewrap (bwrap) is not on PATH; ${fix}`;
  throw new FleetError("SANDBOX_UNAVAILABLE", text);
}

/** A place in the sandbox, and the arguments that fill it. */
type Mount = readonly [path: string, args: readonly string[]];

const temporary = (path: string, bytes: number): readonly string[] => ["--size", String(bytes), "--tmpfs", path];
const device = ["--dev", "/dev", ...temporary("/dev/shm", temporaryBytes), "--remount-ro", "/dev"];
const depthOf = (path: string): number => path.split("/").length;

/**
 * Read-only as a whole: root is root in its own user namespace too, and the kernel asks for no capability before it lets
 * root write settings such as `kernel.core_pattern`. Names of keys are covered.
 */
function processes(): readonly string[] {
  const keys = ["/proc/keys", "/proc/key-users"].filter((path) => existsSync(path));
  return ["--proc", "/proc", ...keys.flatMap((path) => ["--ro-bind", "/dev/null", path]), "--remount-ro", "/proc"];
}

/** Something empty in place of a folder or a file. */
function cover(path: string): readonly string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  return found.isDirectory() ? [...temporary(path, 0x1000), "--remount-ro", path] : ["--ro-bind", "/dev/null", path];
}

function programFolder(path: string): string[] {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  return found.isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path];
}
