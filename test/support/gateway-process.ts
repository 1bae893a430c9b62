import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ConfigFile } from "../../runtime/config/schema/index.ts";

const program = join(import.meta.dirname, "../../runtime/cli/main.ts");

/** A gateway in a process of its own, for figures that the load's process must not spoil. */
export class GatewayProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, url: string, folder: string) {
    this.#child = child;
    this.url = url;
    this.#folder = folder;
  }

  static async start(file: ConfigFile): Promise<GatewayProcess> {
    const folder = await mkdtemp(join(tmpdir(), "gateway-process-"));
    const config = join(folder, "config.json");
    await writeFile(config, JSON.stringify({ ...file, gateway: { port: 0, ...file.gateway } }));
    const child = spawn(process.execPath, [program, "serve", "--config", config]);
    let url = "";
    for await (const line of createInterface({ input: child.stderr })) {
      url = /"url":"(http[^"]+)"/.exec(line)?.[1] ?? "";
      if (url !== "") break;
    }
    child.stderr.resume();
    return new GatewayProcess(child, url, folder);
  }

  /** Resident memory in megabytes. */
  get rssMb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  }

  /** Sum of a counter's samples whose labels match. */
  async counter(name: string, label: RegExp): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) && label.test(line));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await once(this.#child, "exit");
    await rm(this.#folder, { recursive: true, force: true });
  }
}
