import type { Worker as ClusterWorker } from "node:cluster";
import { once } from "node:events";
import type { ResolvedConfig } from "../config/index.ts";
import { type ErrorCode, FleetError } from "../errors.ts";
import type { RefusedChange } from "../registry/fleet-registry.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** A worker as its supervisor sees it. */
export class Worker {
  readonly slot: number;
  /** Where it takes forwarded requests. */
  readonly socket: string;
  readonly startedAt = new Date().toISOString();
  readonly #process: ClusterWorker;
  #applied = 0;
  /** Resolves with its addresses; rejects with why it cannot serve. */
  readonly listening: Promise<FromWorker & { kind: "listening" }>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;

  /** `onFailure`: it has refused a credential that came from this network. */
  constructor(slot: number, socket: string, process: ClusterWorker, onFailure: (network: string) => void = () => {}) {
    this.slot = slot;
    this.socket = socket;
    this.#process = process;
    this.ended = once(process, "exit").then(() => {});
    this.listening = new Promise((resolve, reject) => {
      process.on("message", (message: FromWorker) => {
        if (message.kind === "listening") resolve(message);
        else if (message.kind === "failure") onFailure(message.network);
        else if (message.kind === "failed") {
          reject(
            message.code === undefined
              ? new Error(message.message)
              : new FleetError(message.code as ErrorCode, message.message),
          );
        }
      });
      void this.ended.then(() => reject(new Error(`worker ${slot} ended before it listened`)));
    });
    this.listening.catch(() => {});
  }

  get pid(): number {
    return this.#process.process.pid as number;
  }

  /** Has it take over a configuration; resolves with the changes that it refuses. */
  apply(config: ResolvedConfig, secrets: readonly string[]): Promise<readonly RefusedChange[]> {
    this.#applied += 1;
    const id = this.#applied;
    const answered = new Promise<readonly RefusedChange[]>((resolve) => {
      const hear = (message: FromWorker) => {
        if (message.kind !== "applied" || message.id !== id) return;
        this.#process.off("message", hear);
        resolve(message.refused);
      };
      this.#process.on("message", hear);
      // What it has not taken over, its successor is started with.
      void this.ended.then(() => resolve([]));
    });
    this.tell({ kind: "apply", id, config, secrets });
    return answered;
  }

  tell(message: ToWorker): void {
    // One that is just dying is not told; its end is heard of otherwise.
    if (this.#process.isConnected()) this.#process.send(message, () => {});
  }

  /** Lets it finish its calls, and its clients go for `lingerMs` (by default, the gateway's); kills it when that takes longer than `ms`. */
  async drain(ms: number, lingerMs?: number): Promise<void> {
    this.tell({ kind: "drain", lingerMs });
    const timer = setTimeout(() => this.#process.process.kill("SIGKILL"), ms);
    await this.ended;
    clearTimeout(timer);
  }
}
