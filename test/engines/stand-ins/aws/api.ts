import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** An answer of AWS's interface, in its own words. */
// biome-ignore lint/suspicious/noExplicitAny: every action has a shape of its own, which botocore checks.
export type Answer = any;

/** What AWS's interface refused, with its code. */
export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** AWS's interface, called by boto3 in a process of its own, which `close` ends. */
export class AwsApi {
  readonly #bridge: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** `env` says where the interface is, and who calls: `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, … */
  constructor(python: string, env: Readonly<Record<string, string | undefined>>) {
    this.#bridge = spawn(python, [join(import.meta.dirname, "bridge.py")], { env: { ...process.env, ...env } });
    this.#bridge.stderr.pipe(process.stderr);
    createInterface(this.#bridge.stdout).on("line", (line) => this.#take(JSON.parse(line)));
    this.#bridge.on("exit", (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the bridge to AWS has ended with ${code}`));
    });
  }

  /** Calls an action by the name that AWS gives it: `ecs`, `DescribeServices`. Rejects with an ApiError. */
  call(service: string, action: string, params: object = {}): Promise<Answer> {
    return this.#ask({ service, action, params, check: false });
  }

  /** Compares a call with AWS's own model of it, for actions that the interface lacks. */
  async check(service: string, action: string, params: object): Promise<void> {
    await this.#ask({ service, action, params, check: true });
  }

  #ask(question: object): Promise<Answer> {
    this.#last += 1;
    const id = this.#last;
    this.#bridge.stdin.write(`${JSON.stringify({ id, ...question })}\n`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** Resolves when the bridge has ended. */
  async close(): Promise<void> {
    const ended = once(this.#bridge, "exit");
    this.#bridge.kill();
    await ended;
  }

  #take({ id, result, code, message }: { id: number; result?: Answer; code?: string; message?: string }): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (code === undefined) waiting?.resolve(result);
    else waiting?.reject(new ApiError(code, message as string));
  }
}

/** What is asked for; undefined when AWS says that there is no such thing. */
export async function orGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && /NotFound|NoSuchEntity|InactiveService|NotExist/.test(error.code))
      return undefined;
    throw error;
  }
}
