/** First size, in bytes. */
const smallest = 1024;

/**
 * Bytes that are gathered piece by piece, in one buffer that doubles: however small the pieces are, they cost no more than
 * twice their bytes.
 */
export class ByteStore {
  #buffer: Buffer | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (this.#buffer === undefined || length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(smallest, 2 ** Math.ceil(Math.log2(length))));
      this.#buffer?.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  /** All bytes, and forgets them. */
  take(): Buffer {
    const bytes = (this.#buffer ?? Buffer.alloc(0)).subarray(0, this.#length);
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#buffer = undefined;
    this.#length = 0;
  }
}
