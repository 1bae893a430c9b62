import { folderBytes } from "./folder-size.ts";

/** A look takes at most this share of the time. */
const share = 0.1;

export interface FolderMeterOptions {
  readonly folder: string;
  /** More than this is not counted to the end. */
  readonly enough: number;
  /** Monotonic time in milliseconds. */
  readonly now?: () => number;
  readonly read?: (folder: string, enough: number) => Promise<number>;
}

/** Measures a folder again and again, beside other work. */
export class FolderMeter {
  readonly #options: Required<FolderMeterOptions>;
  #bytes = 0;
  #next = 0;
  #busy = false;

  constructor(options: FolderMeterOptions) {
    this.#options = { now: () => performance.now(), read: folderBytes, ...options };
  }

  /** What was in it at the last look that has ended. Begins another one if it is time. */
  look(): number {
    const { now } = this.#options;
    if (!this.#busy && now() >= this.#next) {
      this.#busy = true;
      void this.#measure(now());
    }
    return this.#bytes;
  }

  async #measure(began: number): Promise<void> {
    const { folder, enough, now, read } = this.#options;
    this.#bytes = await read(folder, enough);
    this.#next = now() + (now() - began) / share;
    this.#busy = false;
  }
}
