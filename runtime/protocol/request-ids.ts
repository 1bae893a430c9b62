import { randomBytes } from "node:crypto";

/** Half of an id, in bits: ids fit 31 bits, because servers keep them in 32-bit integers (rmcp before 0.6, for one). */
const halfBits = 15;
const halfMask = 2 ** halfBits - 1;
const span = 2 ** (2 * halfBits);
const rounds = 4;

/**
 * Ids of requests to one endpoint: whole numbers from 1 to 2^30, each given out once before any comes again, in an order
 * that nobody can guess. All connections and sessions of the endpoint share them, so an answer that arrives on the wrong
 * one names no request there. A counter behind a keyed permutation (a Feistel network).
 */
export class RequestIds {
  readonly #keys: Int32Array;
  #count = 0;

  /** `seed` has four words. Defaults to random ones. */
  constructor(seed: Int32Array = new Int32Array(new Uint8Array(randomBytes(4 * rounds)).buffer)) {
    this.#keys = seed;
  }

  next(): number {
    this.#count = (this.#count + 1) % span;
    let left = this.#count >>> halfBits;
    let right = this.#count & halfMask;
    for (let round = 0; round < rounds; round += 1) {
      const mixed = Math.imul((right ^ (this.#keys[round] as number)) + round, 0x9e3779b1);
      const swapped = left ^ ((mixed ^ (mixed >>> 13)) & halfMask);
      left = right;
      right = swapped;
    }
    return (left << halfBits) + right + 1;
  }
}
