import { closeSync, constants, fchmodSync, mkdirSync, openSync, statSync } from "node:fs";
import { type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "../errors.ts";
import { AuditGap } from "./audit-gap.ts";
import { rotate } from "./audit-rotation.ts";

export interface AuditFileOptions {
  readonly path: string;
  /** Size at which it rotates. */
  readonly maxBytes: number;
  /** Rotated files kept. */
  readonly maxFiles: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Calls `then` after so many milliseconds, unless what it returns is called before. */
  readonly after: (ms: number, then: () => void) => () => void;
  /** It cannot be written from now on, and why; undefined: it can again. */
  readonly onState: (reason: string | undefined) => void;
  /** A line was lost. */
  readonly onLost: () => void;
  /** Defaults to the file system's. */
  readonly write?: (handle: FileHandle, bytes: Buffer) => Promise<number>;
}

interface Line {
  readonly bytes: Buffer;
  readonly written: () => void;
  readonly lost: (error: Error) => void;
}

/** Lines that wait for a slow disk; past it they are lost, and counted. */
export const maxWaitingBytes = 8 * 1024 * 1024;
/** One write of the disk. */
const maxBatchBytes = 1024 * 1024;
/** A write that takes longer holds up nobody who must have noted something first. */
const slowMs = 5000;
const firstPauseMs = 100;
const longestPauseMs = 5000;
const mode = 0o600;
/** Read for its last byte. */
const regularFlags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
/** Names of this process's own streams are links; elsewhere another user could have put one, to have lines written to a file of his choice. */
const ownStreams = /^\/(?:dev|proc)\//;
const flagsFor = (path: string): number => (ownStreams.test(path) ? regularFlags : regularFlags | constants.O_NOFOLLOW);
/** A pipe or a device, where a full one must not hold up a thread. */
const otherFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;
const lineBreak = 10;
const writeWhole = async (handle: FileHandle, bytes: Buffer) => (await handle.write(bytes)).bytesWritten;

/**
 * A file of lines that several processes append to and that outlives trouble. Each write is one append that begins on a line of its own,
 * even after a line that another process left cut. A file that was rotated, removed or replaced by somebody else is opened again. After a failed write
 * the file is tried again with growing pauses, and a line says what is missing.
 */
export class AuditFile {
  readonly #options: AuditFileOptions;
  readonly #write: (handle: FileHandle, bytes: Buffer) => Promise<number>;
  readonly #queue: Line[] = [];
  readonly #gap: AuditGap;
  #handle: FileHandle | undefined;
  /** Where our last write ended; somebody else has written when the file ends elsewhere. */
  #end = -1;
  #waiting = 0;
  #draining = false;
  #drained: Promise<void> = Promise.resolve();
  #failing: string | undefined;
  #pauseMs = firstPauseMs;
  #stopRetry: (() => void) | undefined;
  #closed = false;

  /** Throws the file system's error when it cannot be written now. */
  constructor(options: AuditFileOptions) {
    this.#options = options;
    this.#write = options.write ?? writeWhole;
    this.#gap = new AuditGap(options.clock);
    mkdirSync(dirname(options.path), { recursive: true });
    const regular = isRegular(options.path);
    const descriptor = openSync(options.path, regular ? flagsFor(options.path) : otherFlags, mode);
    try {
      if (regular) fchmodSync(descriptor, mode);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Why it cannot be written now; undefined when it can. */
  get failing(): string | undefined {
    return this.#failing;
  }

  /** Bytes that wait for the disk; `maxWaitingBytes` bounds them. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Appends a line, given without its end. Resolves once it has been written; rejects when it is lost, which is counted. */
  append(text: string): Promise<void> {
    const bytes = Buffer.from(`${text}\n`);
    if (this.#failing !== undefined) return this.#lose(this.#failing);
    if (this.#waiting + bytes.length > maxWaitingBytes) return this.#lose("the disk is too slow");
    this.#waiting += bytes.length;
    const appended = new Promise<void>((written, lost) => this.#queue.push({ bytes, written, lost }));
    this.#pump();
    return appended;
  }

  /** Writes what waits, as far as the disk takes it within five seconds. */
  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      const stop = this.#options.after(slowMs, resolve);
      void this.#drained.finally(() => {
        stop();
        resolve();
      });
    });
    await ended;
    this.#closed = true;
    this.#stopRetry?.();
    await this.#handle?.close().catch(() => {});
  }

  #lose(reason: string): Promise<never> {
    this.#gap.lost();
    this.#options.onLost();
    return Promise.reject(new Error(reason));
  }

  #pump(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#drained = this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 && this.#failing === undefined) {
      const batch = this.#take();
      // A disk that hangs must not hold up those who wait for their line.
      const stop = this.#options.after(slowMs, () =>
        this.#fail(`the disk has not answered within ${slowMs} ms`, batch),
      );
      try {
        await this.#put(batch);
        stop();
        this.#works();
      } catch (error) {
        stop();
        this.#fail(messageOf(error), batch);
        this.#retryLater();
      }
    }
    this.#draining = false;
  }

  /** What goes in one write. */
  #take(): Line[] {
    const batch: Line[] = [];
    let bytes = 0;
    while (this.#queue.length > 0 && bytes < maxBatchBytes) {
      const line = this.#queue.shift() as Line;
      bytes += line.bytes.length;
      batch.push(line);
    }
    return batch;
  }

  /** Appends lines, after one that says what is missing before them. Rejects when not all of it was written. */
  async #put(batch: Line[]): Promise<void> {
    const { handle, cut } = await this.#open();
    const gap = this.#gap.text();
    const before = Buffer.from(`${cut ? "\n" : ""}${gap ?? ""}`);
    let rest = Buffer.concat([before, ...batch.map(({ bytes }) => bytes)]);
    let done = 0;
    try {
      while (rest.length > 0) {
        const count = await this.#write(handle, rest);
        if (count === 0) throw new Error("the disk takes nothing");
        done += count;
        rest = rest.subarray(count);
      }
    } catch (error) {
      this.#end = -1;
      throw error;
    } finally {
      if (gap !== undefined && done >= before.length) this.#gap.told();
      this.#settle(batch, done - before.length);
      if (this.#end >= 0) this.#end += done;
    }
  }

  /** Tells the lines that are among the first `bytes` so, and takes them out. */
  #settle(batch: Line[], bytes: number): void {
    let left = bytes;
    while (batch.length > 0 && left >= (batch[0] as Line).bytes.length) {
      const line = batch.shift() as Line;
      left -= line.bytes.length;
      this.#waiting -= line.bytes.length;
      line.written();
    }
  }

  /** The file at its path, and whether its last line was cut. */
  async #open(): Promise<{ handle: FileHandle; cut: boolean }> {
    const { path, maxBytes, maxFiles, clock } = this.#options;
    let found = await stat(path).catch(() => undefined);
    const own = await this.#handle?.stat();
    if (own !== undefined && (found === undefined || found.ino !== own.ino || found.dev !== own.dev))
      await this.#letGo();
    if (found?.isFile() === true && found.size >= maxBytes && (await rotate(path, maxFiles, clock()))) {
      await this.#letGo();
      found = undefined;
    }
    if (this.#handle === undefined) {
      await mkdir(dirname(path), { recursive: true });
      this.#handle = await open(path, found === undefined || found.isFile() ? flagsFor(path) : otherFlags, mode);
      if (found?.isFile() === true) await this.#handle.chmod(mode).catch(() => {});
      found = await this.#handle.stat();
      this.#end = -1;
    }
    const { size, cut } =
      found?.isFile() === true ? await this.#ending(this.#handle, found.size) : { size: 0, cut: false };
    this.#end = size;
    return { handle: this.#handle, cut };
  }

  /** Where the file ends, and whether its last line is cut. A line that another process is just writing is not. */
  async #ending(handle: FileHandle, found: number): Promise<{ size: number; cut: boolean }> {
    for (let size = found; ; ) {
      if (size === 0 || size === this.#end || (await lastByte(handle, size)) === lineBreak) return { size, cut: false };
      // Linux changes the mode under the lock that a write holds until it has written everything.
      await handle.chmod(mode).catch(() => {});
      const { size: now } = await handle.stat();
      if (now === size) return { size, cut: true };
      size = now;
    }
  }

  async #letGo(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => {});
  }

  /** Stops noting. The lines that wait are lost, and each call that waits for one is told. */
  #fail(reason: string, batch: Line[]): void {
    const known = this.#failing;
    this.#failing = reason;
    for (const { bytes, lost } of [...batch.splice(0), ...this.#queue.splice(0)]) {
      this.#waiting -= bytes.length;
      this.#lose(reason).catch(lost);
    }
    if (known === undefined) this.#options.onState(reason);
  }

  #works(): void {
    this.#pauseMs = firstPauseMs;
    if (this.#failing === undefined) return;
    this.#failing = undefined;
    this.#options.onState(undefined);
  }

  #retryLater(): void {
    if (this.#closed) return;
    this.#stopRetry = this.#options.after(this.#pauseMs, () => void this.#retry());
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  /** Begins with the line that says what was lost: when that can be written, the rest can. */
  async #retry(): Promise<void> {
    try {
      await this.#letGo();
      await this.#put([]);
      this.#works();
      this.#pump();
    } catch (error) {
      this.#failing = messageOf(error);
      this.#retryLater();
    }
  }
}

/** Also true where there is none yet. */
const isRegular = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;

async function lastByte(handle: FileHandle, size: number): Promise<number | undefined> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 ? buffer[0] : undefined;
}
