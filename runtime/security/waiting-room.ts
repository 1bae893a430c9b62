import { FleetError } from "../errors.ts";
import type { FailureLimit } from "./failure-limit.ts";

export interface WaitingRoomOptions {
  /** What is being checked, in the plural, for the text of an error. */
  readonly what: string;
  /** Checks at once. */
  readonly atOnce: number;
  /** Those of one network. */
  readonly atOnceEach: number;
  /** Checks that wait. */
  readonly waiting: number;
  /** Those of one network. */
  readonly waitingEach: number;
  readonly failures: FailureLimit | undefined;
}

interface Waiter {
  readonly begin: () => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Where costly checks of credentials wait. Networks take turns, so that one which sends hundreds delays nobody else; its own wait in
 * line, and past its bound are told to come back. When the room is full, the last one of the longest line gives way.
 */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions;
  readonly #runningOf = new Map<string, number>();
  /** Lines by network, the next one's first. An empty line is no entry. */
  readonly #lines = new Map<string, Waiter[]>();
  #running = 0;
  #waiting = 0;

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get bound(): number {
    return this.#options.waiting;
  }

  /** Does the check when it is this network's turn. Rejects with AUTH_BUSY when too many wait, with RATE_LIMITED after too many failures. */
  async run<Result>(network: string, check: () => Promise<Result>): Promise<Result> {
    const { failures } = this.#options;
    failures?.check(network);
    if (this.#lines.has(network) || !this.#mayBegin(network)) await this.#turn(network);
    else this.#begin(network);
    try {
      return await check();
    } catch (error) {
      if (error instanceof FleetError && error.code === "TOKEN_REFUSED") failures?.failed(network);
      throw error;
    } finally {
      this.#end(network);
    }
  }

  #mayBegin(network: string): boolean {
    const { atOnce, atOnceEach, failures } = this.#options;
    if (this.#running >= atOnce) return false;
    // Each one under way may turn out to be a failure.
    return (this.#runningOf.get(network) ?? 0) < Math.min(atOnceEach, failures?.left(network) ?? atOnceEach);
  }

  #begin(network: string): void {
    this.#running += 1;
    this.#runningOf.set(network, (this.#runningOf.get(network) ?? 0) + 1);
  }

  #end(network: string): void {
    this.#running -= 1;
    const left = (this.#runningOf.get(network) ?? 1) - 1;
    if (left === 0) this.#runningOf.delete(network);
    else this.#runningOf.set(network, left);
    this.#next();
  }

  #turn(network: string): Promise<void> {
    const line = this.#lines.get(network) ?? [];
    if (line.length >= this.#options.waitingEach) throw this.#busy();
    if (this.#waiting >= this.#options.waiting) this.#makeRoom(line.length);
    this.#waiting += 1;
    this.#lines.set(network, line);
    return new Promise((begin, refuse) => line.push({ begin, refuse }));
  }

  /** Throws AUTH_BUSY when no line is longer than the one that somebody wants to join. */
  #makeRoom(length: number): void {
    let longest: readonly [string, Waiter[]] | undefined;
    for (const entry of this.#lines) if (entry[1].length > (longest?.[1].length ?? length + 1)) longest = entry;
    if (longest === undefined) throw this.#busy();
    const [network, line] = longest;
    line.pop()?.refuse(this.#busy());
    this.#left(network, line);
  }

  /** Lets in who may begin: one of each network in turn. */
  #next(): void {
    for (const [network, line] of [...this.#lines]) {
      if (this.#running >= this.#options.atOnce) return;
      if (this.#shut(network, line) || !this.#mayBegin(network)) continue;
      // To the end of the round.
      this.#lines.delete(network);
      this.#lines.set(network, line);
      const first = line.shift();
      this.#left(network, line);
      this.#begin(network);
      first?.begin();
    }
  }

  /** Turns a line away whose network has failed too often meanwhile. */
  #shut(network: string, line: Waiter[]): boolean {
    try {
      this.#options.failures?.check(network);
      return false;
    } catch (error) {
      for (const { refuse } of line) refuse(error);
      this.#waiting -= line.length;
      this.#lines.delete(network);
      return true;
    }
  }

  #left(network: string, line: readonly Waiter[]): void {
    this.#waiting -= 1;
    if (line.length === 0) this.#lines.delete(network);
  }

  #busy(): FleetError {
    const text = `Service unavailable: too many ${this.#options.what} are being checked; try again`;
    return new FleetError("AUTH_BUSY", text, { headers: { "retry-after": "1" } });
  }
}
