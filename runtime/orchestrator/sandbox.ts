import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { isWithheld } from "../config/schema/confinement-rules.ts";
import type { Sandbox } from "../config/schema/index.ts";
import { FleetError } from "../errors.ts";
import { type Invocation, toolOfSystem } from "./invocation.ts";

/** What is to run in a sandbox, and what it cannot do without. */
export interface SandboxedRun extends Invocation {
  readonly fleet: string;
  /** The instance's temporary folder, which it may write to. */
  readonly folder: string;
  readonly cwd: string;
  /** Files and folders that the program consists of. */
  readonly parts: readonly string[];
}

/** Processes of a sandbox besides those of the server: bubblewrap outside, and the first process inside. */
export const sandboxProcesses = 2;

/** In memory, so `limits.memoryMiB` does not see them. */
const temporaryBytes = 64 * 2 ** 20;
/** Programs and libraries; where they are links into /usr, they are that inside too. */
const programs = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"];
/** What libraries read to find names, hosts, authorities, fonts and the time; no keys. */
const system = [
  ...["ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "fonts", "chromium.d"],
  ...["nsswitch.conf", "passwd", "group", "hosts", "resolv.conf"],
  ...["ssl/certs", "ssl/openssl.cnf", "pki/tls/certs", "pki/ca-trust", "ca-certificates"],
].map((name) => `/etc/${name}`);
/** Variables of the minimal environment that name files. */
const namedFiles = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];

/**
 * The same program within bubblewrap: namespaces of its own for files, processes, network and the rest, no capability,
 * and no file but the system's programs, its own parts, what `read` and `write` name, and its temporary folder. Ends with
 * the gateway. Throws SANDBOX_UNAVAILABLE.
 */
export function sandboxed(sandbox: Sandbox, run: SandboxedRun): Invocation {
  const bubblewrap = bubblewrapFor(run.fleet, sandbox);
  const { read = [], write = [], network = false } = sandbox;
  const { folder, cwd, executable, parts } = run;
  const seen = [...programs, ...read, ...write, folder].map((path) => resolve(path));
  const more = [executable, cwd, ...parts].filter((path) => !isWithheld(path) && !isBeneath(seen, path));
  const mounts: Mount[] = [
    ...[["/proc", ["--proc", "/proc"]] as const, ["/dev", device] as const, ["/tmp", temporary("/tmp")] as const],
    ...programs.map((path) => [path, programFolder(path)] as const),
    ...bound("--ro-bind-try", [...system, ...namedFiles.flatMap((name) => process.env[name] ?? [])]),
    ...[...bound("--ro-bind", read), ...bound("--bind", write)],
    ...[...bound("--ro-bind", more), ...bound("--bind", [folder])],
  ];
  return {
    executable: bubblewrap,
    args: [
      ...["--unshare-all", ...(network ? ["--share-net"] : []), "--die-with-parent", "--cap-drop", "ALL"],
      // A mount covers what is beneath it: folders come before what they hold, whatever each of them allows.
      ...mounts.sort(([one], [other]) => depthOf(one) - depthOf(other)).flatMap(([, args]) => args),
      ...["--remount-ro", "/", "--chdir", cwd, "--", executable, ...run.args],
    ],
  };
}

/** The program that makes a server's sandbox, when that can be made on this machine. Throws SANDBOX_UNAVAILABLE. */
export function bubblewrapFor(fleet: string, { read = [], write = [] }: Sandbox): string {
  const bubblewrap = toolOfSystem("bwrap");
  if (bubblewrap === undefined) {
    const fix = "install bubblewrap on this machine (Linux), or remove it";
    throw unavailable(fleet, `sandbox: bubblewrap (bwrap) is not on PATH; ${fix}`);
  }
  for (const [key, paths] of Object.entries({ read, write })) {
    for (const [index, path] of paths.entries()) {
      const field = `sandbox.${key}[${index}]: is "${path}"`;
      if (!existsSync(path)) throw unavailable(fleet, `${field}, which is not there; create it, or correct the path`);
      const target = realpathSync(path);
      if (!isWithheld(target)) continue;
      throw unavailable(fleet, `${field}, a link to ${target}; name the folders that the server needs`);
    }
  }
  return bubblewrap;
}

/** A place in the sandbox, and the arguments that fill it. */
type Mount = readonly [path: string, args: readonly string[]];

const bound = (how: string, paths: readonly string[]): Mount[] =>
  paths.map((path) => resolve(path)).map((path) => [path, [how, path, path]]);
const temporary = (path: string) => ["--size", String(temporaryBytes), "--tmpfs", path];
const device = ["--dev", "/dev", ...temporary("/dev/shm"), "--remount-ro", "/dev"];
const depthOf = (path: string): number => path.split("/").length;

function programFolder(path: string): string[] {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  return found.isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path];
}

/** Can the path, and what it leads to, be seen in one of the folders? */
function isBeneath(folders: readonly string[], path: string): boolean {
  const within = (one: string) => folders.some((folder) => one === folder || one.startsWith(`${folder}/`));
  return within(path) && within(realpathSync(path));
}

function unavailable(fleet: string, text: string): FleetError {
  return new FleetError("SANDBOX_UNAVAILABLE", `servers.${fleet}.${text}`);
}
