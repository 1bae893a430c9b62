import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

/** A real Redis on a free port of 127.0.0.1 that keeps nothing on disk. */
export class RedisServer {
  readonly port: number;
  #child: ChildProcess;

  readonly #more: readonly string[];

  private constructor(child: ChildProcess, port: number, more: readonly string[]) {
    this.#child = child;
    this.port = port;
    this.#more = more;
  }

  /** `more`: arguments besides. */
  static async start(more: readonly string[] = []): Promise<RedisServer> {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    return new RedisServer(await run(port, more), port, more);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Makes it hang, or go on. */
  hang(hangs: boolean): void {
    this.#child.kill(hangs ? "SIGSTOP" : "SIGCONT");
  }

  /** Starts it again at the same port, empty. */
  async restart(): Promise<void> {
    this.#child = await run(this.port, this.#more);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}

async function run(port: number, more: readonly string[]): Promise<ChildProcess> {
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", ...more];
  const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) if (/ready to accept/i.test(line)) break;
  child.stdout.resume();
  return child;
}
