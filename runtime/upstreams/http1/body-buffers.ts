/** Sizes kept are powers of two between these. */
const smallest = 32 * 1024;
const largest = 4 * 1024 * 1024;
/** What lies idle at the most: it stays until the process ends. */
const maxIdleBytes = 32 * 1024 * 1024;

/**
 * Memory for large bodies, used again and again: one that is allocated for each costs more in page faults and garbage
 * collection than the copy into it.
 */
export class BodyBuffers {
  readonly #idle = new Map<number, Buffer[]>();
  #idleBytes = 0;

  /** At least `bytes` long, with whatever was in it. */
  take(bytes: number): Buffer {
    if (bytes > largest) return Buffer.allocUnsafeSlow(bytes);
    const size = Math.max(smallest, 2 ** Math.ceil(Math.log2(bytes)));
    const buffer = this.#idle.get(size)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size);
    this.#idleBytes -= size;
    return buffer;
  }

  /** Nobody else may use the buffer any more. */
  giveBack(buffer: Buffer): void {
    if (buffer.length > largest || this.#idleBytes + buffer.length > maxIdleBytes) return;
    const idle = this.#idle.get(buffer.length);
    if (idle === undefined) this.#idle.set(buffer.length, [buffer]);
    else idle.push(buffer);
    this.#idleBytes += buffer.length;
  }
}

/** Of all connections of the process: with some for each server, a fleet of a hundred could keep gigabytes. */
export const bodyBuffers = new BodyBuffers();
