/** Places at the beginning; a power of two. */
const smallest = 16;
/** Most entries at a time. The gateway bounds its calls far below it. */
const mostEntries = 2 ** 20;
/** Marks an empty place: ids begin at 1. */
const empty = 0;

/**
 * What is in flight, by ids from `RequestIds`: an open-addressed hash table, whose keys are spread already. Instead of a
 * Map for the same reason as `SlotTable`: a Map that entries come to and go from keeps old ones alive.
 */
export class PendingTable<T> {
  #ids = new Int32Array(smallest);
  #values: (T | undefined)[] = new Array(smallest).fill(undefined);
  /** When the value of a place came, by a count. */
  #came = new Float64Array(smallest);
  #count = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Keeps a value under an id that is not in the table. Throws a RangeError for a million entries. */
  add(id: number, value: T): void {
    if (this.#size >= mostEntries) throw new RangeError(`more than ${mostEntries} entries`);
    if (this.#size * 2 >= this.#ids.length) this.#grow();
    this.#count += 1;
    this.#put(id, value, this.#count);
    this.#size += 1;
  }

  /** The value of an id, if it is there. */
  get(id: number): T | undefined {
    const at = this.#find(id);
    return at < 0 ? undefined : this.#values[at];
  }

  /** Takes a value out. */
  take(id: number): T | undefined {
    let hole = this.#find(id);
    if (hole < 0) return undefined;
    const value = this.#values[hole];
    const mask = this.#ids.length - 1;
    // Those behind move up, so that no search ends at the hole.
    for (let at = (hole + 1) & mask; this.#ids[at] !== empty; at = (at + 1) & mask) {
      const home = (this.#ids[at] as number) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.#ids[hole] = this.#ids[at] as number;
      this.#values[hole] = this.#values[at];
      this.#came[hole] = this.#came[at] as number;
      hole = at;
    }
    this.#ids[hole] = empty;
    this.#values[hole] = undefined;
    this.#size -= 1;
    return value;
  }

  clear(): void {
    this.#ids.fill(empty);
    this.#values.fill(undefined);
    this.#size = 0;
  }

  /** In the order in which they came. */
  *[Symbol.iterator](): Iterator<T> {
    const places = [...this.#ids.keys()].filter((at) => this.#ids[at] !== empty);
    places.sort((one, other) => (this.#came[one] as number) - (this.#came[other] as number));
    for (const at of places) yield this.#values[at] as T;
  }

  #find(id: number): number {
    const mask = this.#ids.length - 1;
    for (let at = id & mask; this.#ids[at] !== empty; at = (at + 1) & mask) if (this.#ids[at] === id) return at;
    return -1;
  }

  #put(id: number, value: T, came: number): void {
    const mask = this.#ids.length - 1;
    let at = id & mask;
    while (this.#ids[at] !== empty) at = (at + 1) & mask;
    this.#ids[at] = id;
    this.#values[at] = value;
    this.#came[at] = came;
  }

  #grow(): void {
    const [ids, values, came] = [this.#ids, this.#values, this.#came];
    this.#ids = new Int32Array(ids.length * 2);
    this.#values = new Array(ids.length * 2).fill(undefined);
    this.#came = new Float64Array(ids.length * 2);
    for (const [at, id] of ids.entries()) if (id !== empty) this.#put(id, values[at] as T, came[at] as number);
  }
}
