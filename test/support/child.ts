import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** A process of a run that answers messages, one after the other. */
export class Child {
  readonly #child: ChildProcess;
  readonly #died: Promise<never>;

  private constructor(child: ChildProcess, died: Promise<never>) {
    this.#child = child;
    this.#died = died;
  }

  /** Starts it and resolves with its first message; rejects when it ends before that. */
  static async start<T>(
    file: string,
    args: readonly string[] = [],
    flags: readonly string[] = [],
  ): Promise<[Child, T]> {
    const child = spawn(process.execPath, [...flags, file, ...args], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const died = once(child, "exit").then(([code]): never => {
      throw new Error(`${file} ended with ${code}`);
    });
    died.catch(() => {});
    const [first] = await Promise.race([once(child, "message"), died]);
    return [new Child(child, died), first as T];
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  async ask<T>(question: object): Promise<T> {
    const answer = once(this.#child, "message");
    this.#child.send(question);
    return (await Promise.race([answer, this.#died]))[0] as T;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}
