import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { FleetError } from "../errors.ts";
import type { Use } from "../observability/bounds.ts";

/** What bytes are of: a message that has not come whole, calls in flight, answers that a client has not read. */
export type BytesOf = "messages" | "calls" | "answers";

/** Less than this is not counted: connections have a bound, and a small message or answer costs no more than one of them. */
export const smallBytes = 16 * 1024;

/** Bytes that one connection or request holds in memory. */
export class Holding {
  of: BytesOf;
  /** Ends the holder, so that its bytes are free; undefined for one that cannot be ended. */
  end: (() => void) | undefined;
  bytes = 0;
  /** Reads the bytes of a holder that changes without a word. */
  readonly measure: (() => number) | undefined;
  readonly #budget: ByteBudget;

  constructor(budget: ByteBudget, of: BytesOf, end: () => void, measure?: () => number) {
    this.#budget = budget;
    this.of = of;
    this.end = end;
    this.measure = measure;
  }

  /** Says how many bytes it holds now; few count as none. */
  set(bytes: number): void {
    const counted = bytes > smallBytes ? bytes : 0;
    if (counted !== this.bytes) this.#budget.changed(this, counted);
  }
}

/**
 * All bytes that one process holds for its clients. Each connection has bounds of its own; this one is for many
 * connections that each stay within theirs. Past it the holder of most bytes is ended.
 */
export class ByteBudget {
  readonly #max: number;
  readonly #onEnded: (of: BytesOf, bytes: number) => void;
  readonly #holdings = new Set<Holding>();
  readonly #unread = new WeakMap<object, Holding>();
  #size = 0;

  constructor(max: number, onEnded: (of: BytesOf, bytes: number) => void = () => {}) {
    this.#max = max;
    this.#onEnded = onEnded;
  }

  /** Bytes that are held, and their bound. */
  get use(): Use {
    this.#measure();
    return { size: this.#size, max: this.#max };
  }

  /** What a holder is told that is ended. */
  get refusal(): FleetError {
    const text = `the gateway holds as many bytes for its clients as gateway.connections.maxBufferedBytes allows (${this.#max}); send again later, or less at a time`;
    return new FleetError("OVERLOADED", text, { headers: { "retry-after": "1", connection: "close" } });
  }

  /** Counts what has been written to a client and waits for it, until it has been read. Little is not counted. */
  unread(stream: ServerResponse | Socket): void {
    const { writableLength: waiting } = stream;
    if (waiting <= smallBytes) return;
    const known = this.#unread.get(stream);
    if (known !== undefined) {
      known.set(waiting);
      return;
    }
    const holding = new Holding(
      this,
      "answers",
      () => stream.destroy(),
      () => stream.writableLength,
    );
    const read = () => {
      stream.off("drain", read).off("close", read);
      this.#unread.delete(stream);
      holding.set(0);
    };
    stream.on("drain", read).on("close", read);
    this.#unread.set(stream, holding);
    holding.set(waiting);
  }

  /** A holding has so many bytes now. */
  changed(holding: Holding, bytes: number): void {
    const more = bytes - holding.bytes;
    holding.bytes = bytes;
    this.#size += more;
    if (bytes === 0) this.#holdings.delete(holding);
    else this.#holdings.add(holding);
    if (more > 0 && this.#size > this.#max) this.#relieve();
  }

  #relieve(): void {
    this.#measure();
    while (this.#size > this.#max) {
      const largest = this.#largest();
      if (largest === undefined) return;
      const { of, bytes, end } = largest;
      largest.end = undefined;
      largest.set(0);
      end?.();
      this.#onEnded(of, bytes);
    }
  }

  #measure(): void {
    for (const holding of this.#holdings)
      if (holding.measure !== undefined) holding.set(Math.min(holding.measure(), holding.bytes));
  }

  #largest(): Holding | undefined {
    let largest: Holding | undefined;
    for (const holding of this.#holdings) {
      if (holding.end !== undefined && holding.bytes > (largest?.bytes ?? 0)) largest = holding;
    }
    return largest;
  }
}
