import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parse, stringify } from "yaml";
import { findCommand } from "../../runtime/orchestrator/find-command.ts";

const root = join(import.meta.dirname, "../..");

/** What a command has said, and its exit code. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A clean clone of this repository's last commit, with state and temporary folders of its own. */
export class Checkout {
  readonly #base = mkdtempSync(join(tmpdir(), "checkout-test-"));
  readonly path = join(this.#base, "mcp-fleet");
  readonly state = join(this.#base, "state");
  readonly temporary = join(this.#base, "tmp");
  /** Environment of its commands: that of a user's shell, without what this test run has put there. */
  readonly env: Record<string, string>;

  /** `modules: "shared"` uses this checkout's dependencies instead of installing them again. */
  constructor({ modules }: { modules: "installed" | "shared" }) {
    execFileSync("git", ["clone", "--quiet", root, this.path]);
    for (const folder of [this.temporary, join(this.#base, "pulumi")]) mkdirSync(folder);
    if (modules === "shared") symlinkSync(join(root, "node_modules"), join(this.path, "node_modules"));
    const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
    const kept = Object.entries(process.env).filter(
      ([name]) => !/^(npm_|PULUMI_|JEST_|NODE_OPTIONS|NODE_ENV)/.test(name),
    );
    this.env = {
      ...(Object.fromEntries(kept) as Record<string, string>),
      ...{ PATH: path.join(delimiter), TMPDIR: this.temporary, CI: "true" },
      ...{ MCP_FLEET_STATE: this.state, PULUMI_HOME: join(this.#base, "pulumi") },
    };
  }

  /** Runs a line as a shell does. */
  run(line: string, env: Record<string, string> = {}): Promise<Ended> {
    const options = { cwd: this.path, env: { ...this.env, ...env } };
    const child = spawn(findCommand("bash", this.env.PATH as string, "/") as string, ["-c", line], options);
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    return new Promise((resolve) => child.once("exit", (code) => resolve({ code: code ?? -1, out, err })));
  }

  /** Where its stacks keep their state. */
  backend(): string {
    mkdirSync(join(this.state, "pulumi"), { recursive: true });
    return `file://${join(this.state, "pulumi")}`;
  }

  /** Rewrites what a stack says. */
  configure(change: (config: StackFile["config"]) => void, name = "dev"): void {
    const file = join(this.path, `stacks/Pulumi.${name}.yaml`);
    const stack = parse(readFileSync(file, "utf8")) as StackFile;
    change(stack.config);
    writeFileSync(file, stringify(stack));
  }

  /** Puts the stack's file back as it was committed. */
  restore(): void {
    execFileSync("git", ["checkout", "--quiet", "stacks"], { cwd: this.path });
  }

  /** Processes of this machine that have to do with this clone, by process id. */
  processes(): Record<number, string> {
    const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const ours = all.flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
        return `${command}${environment}`.includes(this.#base) && command !== "" ? [[pid, command]] : [];
      } catch {
        return [];
      }
    });
    return Object.fromEntries(ours);
  }

  /** Kills what is left and removes everything. */
  close(): void {
    for (const pid of Object.keys(this.processes())) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has just ended.
      }
    }
    rmSync(this.#base, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A stack's file, as far as tests change it. */
interface StackFile {
  readonly config: {
    "mcp-fleet:gateway": Record<string, unknown>;
    "mcp-fleet:fleets": Record<string, Record<string, unknown>>;
    "mcp-fleet:monitoring"?: Record<string, unknown>;
  };
}

/** A port that nothing listens at. */
export async function freePort(): Promise<number> {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as { port: number };
  await new Promise((resolve) => holder.close(resolve));
  return port;
}
