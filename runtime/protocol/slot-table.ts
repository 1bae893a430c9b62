/** Ids of one slot are so far apart; also the most entries there can be at a time. */
const stride = 2 ** 20;

/**
 * What is in flight, by an id of the table's own. An id is never given out twice, so an answer that comes too late finds
 * nothing. Instead of a Map: when a Map that entries come to and go from is rebuilt, V8 lets the old storage point to the
 * new one, and one old storage that has grown old keeps all that came after it alive until the next full collection
 * (measured: each call's objects survived, a third of the gateway's memory and a sixth of its time).
 */
export class SlotTable<T> {
  readonly #values: (T | undefined)[] = [];
  readonly #ids: number[] = [];
  readonly #free: number[] = [];
  /** When the value of a slot came, by a count. */
  readonly #came: number[] = [];
  #count = 0;

  get size(): number {
    return this.#values.length - this.#free.length;
  }

  /** Keeps a value; the id is a positive whole number. Throws a RangeError when a million are in flight. */
  add(value: T): number {
    const slot = this.#free.pop() ?? this.#values.length;
    if (slot >= stride) throw new RangeError(`more than ${stride} entries`);
    const id = (this.#ids[slot] ?? slot + 1 - stride) + stride;
    this.#ids[slot] = id;
    this.#values[slot] = value;
    this.#count += 1;
    this.#came[slot] = this.#count;
    return id;
  }

  /** The value of an id, if it is still there. Anything may be asked for. */
  get(id: unknown): T | undefined {
    const slot = slotOf(id);
    return this.#ids[slot] === id ? this.#values[slot] : undefined;
  }

  /** Takes a value out. */
  take(id: unknown): T | undefined {
    const value = this.get(id);
    if (value === undefined) return undefined;
    const slot = slotOf(id);
    this.#values[slot] = undefined;
    this.#free.push(slot);
    return value;
  }

  clear(): void {
    for (const [slot, value] of this.#values.entries()) if (value !== undefined) this.take(this.#ids[slot]);
  }

  /** In the order in which they came. */
  *[Symbol.iterator](): Iterator<T> {
    const slots = [...this.#values.keys()].filter((slot) => this.#values[slot] !== undefined);
    slots.sort((one, other) => (this.#came[one] as number) - (this.#came[other] as number));
    for (const slot of slots) yield this.#values[slot] as T;
  }
}

function slotOf(id: unknown): number {
  return typeof id === "number" ? (id - 1) % stride : -1;
}
