import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { messageOf } from "../../errors.ts";
import type { BackendSpec } from "../backend.ts";
import type { FoundListener } from "./instance-discovery.ts";

export interface FollowingOptions {
  /** Of the discovery, in logs. */
  readonly name: string;
  readonly log: Logger;
  /** What a log says has failed: `containers not listed`. */
  readonly trouble: string;
  /** Lists, calls `listed`, and follows changes until the source breaks off. Rejects when it cannot be asked. */
  readonly follow: (signal: AbortSignal, listed: () => void) => Promise<void>;
}

const firstPauseMs = 500;
const longestPauseMs = 30_000;

/** Follows a source of instances that tells of changes: asks again whenever that breaks off, after pauses that double with each failure. */
export class Following {
  readonly #options: FollowingOptions;
  readonly #abort = new AbortController();
  #listener: FoundListener = () => {};
  #last = "";
  #done: Promise<void> = Promise.resolve();

  constructor(options: FollowingOptions) {
    this.#options = options;
  }

  start(listener: FoundListener): void {
    this.#listener = listener;
    this.#done = this.#run();
  }

  async close(): Promise<void> {
    this.#listener = () => {};
    this.#abort.abort();
    await this.#done;
  }

  /** Passes on what has been found, if it is not the same as before. */
  tell(found: Iterable<BackendSpec>): void {
    const sorted = [...found].sort((a, b) => (a.address < b.address ? -1 : 1));
    const text = JSON.stringify(sorted);
    if (text !== this.#last) this.#listener(sorted);
    this.#last = text;
  }

  async #run(): Promise<void> {
    const { name, log, trouble, follow } = this.#options;
    const { signal } = this.#abort;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await follow(signal, () => {
          failures = 0;
        });
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ discovery: name, failures: failures + 1 }, `${trouble}: ${messageOf(error)}; trying again`);
      }
      const pauseMs = Math.min(firstPauseMs * 2 ** failures, longestPauseMs);
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}
