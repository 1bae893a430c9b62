import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { request } from "undici";

const entry = join(import.meta.dirname, "../../runtime/cli/main.ts");

/** `mcp-fleet host` with a server of the tests behind it, on a free port. */
export class HostProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Resolves when it is ready. `settings` is the YAML of its server. */
  static async start(name: string, settings: string, file: string, ...more: string[]): Promise<HostProcess> {
    const args = [entry, "host", "--port", "0", "--name", name, "--", process.execPath, file, ...more];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, MCP_SERVER: settings },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let log = "";
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr?.on("data", (chunk) => {
        log += chunk;
        const found = /"url":"(http[^"]+)"/.exec(log)?.[1];
        if (found !== undefined) resolve(found);
      });
      child.on("exit", () => reject(new Error(log)));
    });
    while ((await request(`${url}/ready`)).statusCode !== 200);
    return new HostProcess(child, url);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Asks it to end; resolves with its exit code. */
  async end(): Promise<number | null> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    return (await ended)[0] as number | null;
  }

  /** Ends it at once, if it has not ended. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}
