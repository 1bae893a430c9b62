/** When so many places at the front are empty, they are given back. */
const slack = 1024;

/**
 * First in, first out, over one array (not a Map or a linked list, whose old parts keep what came later alive; see
 * `SlotTable`).
 */
export class Fifo<T> {
  #values: (T | undefined)[] = [];
  #first = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(value: T): void {
    this.#values.push(value);
    this.#size += 1;
  }

  /** The one that comes next. */
  peek(): T | undefined {
    while (this.#first < this.#values.length && this.#values[this.#first] === undefined) this.#first += 1;
    return this.#values[this.#first];
  }

  shift(): T | undefined {
    while (this.#first < this.#values.length) {
      const value = this.#values[this.#first];
      this.#values[this.#first] = undefined;
      this.#first += 1;
      if (this.#first >= slack && this.#first * 2 >= this.#values.length) {
        this.#values = this.#values.slice(this.#first);
        this.#first = 0;
      }
      if (value === undefined) continue;
      this.#size -= 1;
      return value;
    }
    return undefined;
  }

  /** Takes out the first value that fits; false when none does. */
  remove(fits: (value: T) => boolean): boolean {
    const at = this.#values.findIndex((value) => value !== undefined && fits(value));
    if (at < 0) return false;
    this.#values[at] = undefined;
    this.#size -= 1;
    return true;
  }
}
