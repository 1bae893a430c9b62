/** A whole number without fraction and exponent. */
const whole = /^-?\d+$/;

/**
 * A number of a JSON text whose digits a double does not keep: `2047948614742839297`, `1.0`, `-0`, `1e400`. It is written
 * again as it came. Who reads the number takes `plainNumber` of it first.
 */
export class ExactNumber {
  readonly #source: string;

  /** `source`: a number of JSON (RFC 8259, 6). */
  constructor(source: string) {
    this.#source = source;
  }

  /** For `JSON.stringify`. */
  toJSON(): unknown {
    return JSON.rawJSON(this.#source);
  }

  toString(): string {
    return this.#source;
  }

  /** The nearest double. */
  valueOf(): number {
    return Number(this.#source);
  }

  /**
   * Equal for numbers that are equal: the double where that is certain, else the whole number of any size. Of huge numbers
   * with a fraction or an exponent it is the nearest double.
   */
  get key(): number | bigint {
    const value = this.valueOf();
    return Math.abs(value) > Number.MAX_SAFE_INTEGER && whole.test(this.#source) ? BigInt(this.#source) : value;
  }
}

declare global {
  interface JSON {
    /** A value that `JSON.stringify` writes as this text. */
    rawJSON(text: string): unknown;
  }
}

/** The nearest double of an exact number; any other value as it is. */
export const plainNumber = (value: unknown): unknown => (value instanceof ExactNumber ? value.valueOf() : value);

/** What tells ids and tokens apart: they are the same when their keys are (`===`, and in a Map). */
export const keyOf = (value: unknown): unknown => (value instanceof ExactNumber ? value.key : value);

/** Is it a JSON object, and no array, null or number? */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);

/**
 * A JSON value in which `read` of each exact number stands for it; by default the nearest double. The value itself where it
 * has none. Recursive: not for texts that may nest without end.
 */
export function withNumbers(value: unknown, read: (number: ExactNumber) => unknown = Number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof ExactNumber) return read(value);
  return Array.isArray(value) ? listWithNumbers(value, read) : objectWithNumbers(value, read);
}

function listWithNumbers(list: readonly unknown[], read: (number: ExactNumber) => unknown): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let at = 0; at < list.length; at += 1) {
    const item = withNumbers(list[at], read);
    if (item === list[at]) continue;
    copy ??= [...list];
    copy[at] = item;
  }
  return copy ?? list;
}

function objectWithNumbers(object: object, read: (number: ExactNumber) => unknown): object {
  let copy: object | undefined;
  for (const [key, member] of Object.entries(object)) {
    const plain = withNumbers(member, read);
    if (plain === member) continue;
    copy ??= { ...object };
    // The copy has the member already, so that `__proto__` is a member like any other.
    (copy as Record<string, unknown>)[key] = plain;
  }
  return copy ?? object;
}
