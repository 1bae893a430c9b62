import { join } from "node:path";
import { freePort } from "./checkout.ts";
import { Listening } from "./listening.ts";

const program = join(import.meta.dirname, "../fixtures/instance-server.mjs");

/** One instance of a server at a port of its own, that a test can kill, stop, slow down and bring back. */
export class FaultInstance {
  readonly port: number;
  readonly #env: Readonly<Record<string, string>>;
  #server: Listening | undefined;

  private constructor(port: number, env: Readonly<Record<string, string>>) {
    this.port = port;
    this.#env = env;
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<FaultInstance> {
    const instance = new FaultInstance(await freePort(), env);
    await instance.back();
    return instance;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  get pid(): number | undefined {
    return this.#server?.pid;
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await this.#server?.stop();
  }

  /** Starts anew at the same port; its sessions are lost. */
  async back(): Promise<void> {
    this.#server = await Listening.start(program, { PORT: String(this.port), ...this.#env });
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#server?.signal(name);
  }

  /** Makes every answer so much slower. */
  async delay(ms: number): Promise<void> {
    await fetch(`http://127.0.0.1:${this.port}/delay?ms=${ms}`);
  }
}
