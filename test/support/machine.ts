import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./docker.ts";

const boot = join(import.meta.dirname, "../engines/systemd-stack/boot.sh");
const hierarchies = "/sys/fs/cgroup";

/** What a command has said, and its exit code. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * A machine of which systemd is the first process: namespaces of this one, with a copy of its files that nothing outlives. Its network
 * is this machine's. A checkout is at /opt/mcp-fleet.
 */
export class Machine {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #group: string;
  #manager = 0;

  private constructor(child: ChildProcess, folder: string, group: string) {
    this.#child = child;
    this.#folder = folder;
    this.#group = group;
  }

  /** Resolves when its service manager is up. */
  static async start(checkout: string, modules: string): Promise<Machine> {
    const folder = mkdtempSync(join(tmpdir(), "machine-"));
    const group = `mcp-fleet-test-${process.pid}`;
    const namespaces = ["--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--cgroup"];
    // Ends with this test run, whatever ends that. Of its own in every hierarchy, so that its services are counted there.
    const joining = groupsOf(group).map((path) => `echo $$ > ${path}/cgroup.procs`);
    const script = [...joining, `exec setpriv --pdeathsig KILL unshare ${namespaces.join(" ")} "$@"`].join("\n");
    const child = spawn("bash", ["-ec", script, "machine", boot, folder, checkout, modules], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (text: Buffer) => {
      said += text;
    });
    const machine = new Machine(child, folder, group);
    await until(async () => {
      if (child.exitCode !== null) return true;
      machine.#manager = firstProcess(child.pid as number);
      const { out } = await machine.run("systemctl is-system-running");
      return out.trim() === "running" ? true : undefined;
    });
    if (child.exitCode === null) return machine;
    await machine.close();
    throw new Error(`no systemd: ${said}`);
  }

  /** Runs a line there as root's shell does. */
  run(line: string, env: Readonly<Record<string, string>> = {}): Promise<Said> {
    const args = ["--target", String(this.#manager), "--all", "bash", "-c", line];
    return new Promise((resolve) => {
      execFile(
        "nsenter",
        args,
        { env: { PATH: "/usr/sbin:/usr/bin", ...env }, maxBuffer: 1 << 26 },
        (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
      );
    });
  }

  /** The same; rejects with what it said when it fails. */
  async runOk(line: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { code, out, err } = await this.run(line, env);
    if (code === 0) return out;
    throw new Error(`${line}: ${out}\n${err}`);
  }

  /** Ends every process of it; its files go with them. */
  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
    await until(async () => (removeGroups(this.#group) ? true : undefined));
  }
}

/** The process that `unshare` has forked. */
function firstProcess(unshare: number): number {
  const children = readFileSync(`/proc/${unshare}/task/${unshare}/children`, "utf8").trim().split(" ");
  return Number(children[0]);
}

/** Makes a group of this name in every hierarchy. */
function groupsOf(name: string): string[] {
  const unified = execFileSync("stat", ["-f", "-c", "%T", hierarchies], { encoding: "utf8" }).trim() === "cgroup2fs";
  const roots = unified
    ? [hierarchies]
    : ["cpu", "cpuacct", "memory", "pids", "systemd", "unified"].map((one) => join(hierarchies, one));
  const groups = roots.map((root) => join(root, name));
  for (const group of groups) mkdirSync(group, { recursive: true });
  return groups;
}

/** Removes them once nothing is left in them. */
function removeGroups(name: string): boolean {
  return groupsOf(name).every((group) => {
    try {
      removeGroup(group);
      return true;
    } catch {
      return false;
    }
  });
}

function removeGroup(group: string): void {
  for (const name of readdirSync(group)) {
    const path = join(group, name);
    if (statSync(path).isDirectory()) removeGroup(path);
  }
  rmdirSync(group);
}
