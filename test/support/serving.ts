import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { ConfigFile } from "../../runtime/config/schema/index.ts";
import type { GatewayStatus } from "../../runtime/gateway.ts";
import type { WorkerStatus } from "../../runtime/workers/index.ts";

const entry = join(import.meta.dirname, "../../runtime/cli/main.ts");

/** `mcp-fleet serve` as a process of its own, on a free port, with its admin socket. */
export class Serving {
  readonly url: string;
  readonly folder: string;
  readonly child: ChildProcess;
  readonly #log: () => string;

  private constructor(child: ChildProcess, url: string, folder: string, log: () => string) {
    this.child = child;
    this.url = url;
    this.folder = folder;
    this.#log = log;
  }

  /** Resolves when it says `line`; rejects with its output when it ends before. */
  static async start(file: ConfigFile, line = "listening"): Promise<Serving> {
    const folder = await mkdtemp(join(tmpdir(), "serving-"));
    const config = join(folder, "config.json");
    const gateway = { port: 0, drainMs: 3000, ...file.gateway, admin: { socket: join(folder, "admin.sock") } };
    await writeFile(config, JSON.stringify({ ...file, gateway }));
    const child = spawn(process.execPath, [entry, "serve", "--config", config, "--state", join(folder, "state")]);
    let log = "";
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr.on("data", (chunk) => {
        log += chunk;
        const found = new RegExp(`"url":"(http[^"]+)"[^\n]*"msg":"${line}"`).exec(log)?.[1];
        if (found !== undefined) resolve(found);
      });
      child.once("exit", () => reject(new Error(log)));
    });
    return new Serving(child, url, folder, () => log);
  }

  get log(): string {
    return this.#log();
  }

  /** Resident memory in megabytes. */
  get rssMb(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  }

  /** Sum of a counter's samples whose labels match. */
  async counter(name: string, label: RegExp): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) && label.test(line));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  status(): Promise<GatewayStatus & { workers: WorkerStatus[] }> {
    return this.admin("GET", "/status") as Promise<GatewayStatus & { workers: WorkerStatus[] }>;
  }

  /** Asks the admin listener. */
  async admin(method: string, path: string, body?: object): Promise<unknown> {
    const asked = request({ socketPath: join(this.folder, "admin.sock"), method, path });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    const [answer] = await once(asked, "response");
    return json(answer);
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill("SIGTERM");
      await once(this.child, "exit");
    }
    await rm(this.folder, { recursive: true, force: true });
    return this.child.exitCode;
  }
}
