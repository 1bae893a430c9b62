import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FleetError, messageOf } from "../../errors.ts";
import type { Sealer } from "../../protocol/sealer.ts";

/** The gateway as a client that an authorization server has registered. */
export interface StoredClient {
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly authMethod: string;
  readonly redirectUri: string;
  /** A login with it has begun and has not succeeded: the authorization server may have forgotten it. */
  readonly attempted?: true;
}

/** Tokens of one authorization server. */
export interface StoredTokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly scopes: readonly string[];
  readonly resource: string;
  /** Milliseconds since the epoch; undefined when the authorization server has not said. */
  readonly expiresAt?: number;
}

/** All that is kept for one server. Nothing of one issuer is ever shown to another (SEP-2352). */
export interface ServerRecord {
  /** The issuer of the last login. */
  readonly current?: string;
  /** What the server wanted when it last refused. */
  readonly wanted?: { readonly resourceMetadata?: string; readonly scopes: readonly string[] };
  readonly clients: Readonly<Record<string, StoredClient>>;
  readonly tokens: Readonly<Record<string, StoredTokens>>;
}

/** Authorization servers that are remembered for one server; the oldest one goes first. */
const maxIssuers = 8;
const empty: ServerRecord = { clients: {}, tokens: {} };

/** How long a process may hold a server's file: longer than an authorization server may take to answer. */
const lockMs = 30_000;
const lockPollMs = 50;

/** Writes a record in the place of the one that was read. */
export type Save = (record: ServerRecord) => Promise<void>;

/**
 * Keeps what `mcp-fleet login` has got, one sealed file a server, readable by nobody else; without a folder, in memory.
 * Workers, a restarted gateway and the command use it side by side: who changes a server's file has it alone.
 */
export class TokenStore {
  readonly #folder: string | undefined;
  readonly #sealer: Sealer;
  readonly #memory = new Map<string, ServerRecord>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(stateDirectory: string | undefined, sealer: Sealer) {
    this.#folder = stateDirectory && join(stateDirectory, "credentials");
    this.#sealer = sealer;
  }

  /** Does it outlive the process, and is it shared with the command? */
  get isKept(): boolean {
    return this.#folder !== undefined;
  }

  /** What is known of a server; nothing when no key of ours opens the file. */
  async read(server: string): Promise<ServerRecord> {
    if (this.#folder === undefined) return this.#memory.get(server) ?? empty;
    const text = await readFile(this.#file(server), "utf8").catch(() => undefined);
    const plain = text === undefined ? undefined : this.#sealer.open(text.trim());
    return plain === undefined ? empty : (JSON.parse(plain) as ServerRecord);
  }

  /** Changes it. Rejects with STATE_UNWRITABLE. */
  update(server: string, change: (record: ServerRecord) => ServerRecord): Promise<void> {
    return this.exclusively(server, (record, save) => save(change(record)));
  }

  /** Works on it while nobody else does, in this process or another. Rejects with STATE_UNWRITABLE. */
  exclusively<T>(server: string, work: (record: ServerRecord, save: Save) => Promise<T>): Promise<T> {
    const done = this.#queue.then(async () => {
      const unlock = await this.#lock(server);
      try {
        return await work(await this.read(server), (record) => this.#save(server, record));
      } finally {
        await unlock();
      }
    });
    this.#queue = done.catch(() => {});
    return done;
  }

  /** A file beside the server's own; one that a process has left behind is taken away. */
  async #lock(server: string): Promise<() => Promise<void>> {
    if (this.#folder === undefined) return async () => {};
    const lock = `${this.#file(server)}.lock`;
    for (;;) {
      try {
        await mkdir(this.#folder, { recursive: true, mode: 0o700 });
        await writeFile(lock, "", { flag: "wx", mode: 0o600 });
        return () => rm(lock, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw this.#unwritable(server, error);
      }
      const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
      // The file system's clock against the same machine's.
      if (Date.now() - mtimeMs > lockMs) await rm(lock, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, lockPollMs));
    }
  }

  async #save(server: string, changed: ServerRecord): Promise<void> {
    const record = { ...changed, clients: newest(changed.clients), tokens: newest(changed.tokens) };
    if (this.#folder === undefined) {
      this.#memory.set(server, record);
      return;
    }
    const file = this.#file(server);
    const fresh = `${file}.${randomUUID()}`;
    try {
      await writeFile(fresh, `${this.#sealer.seal(JSON.stringify(record))}\n`, { mode: 0o600, flag: "wx" });
      await rename(fresh, file);
    } catch (error) {
      throw this.#unwritable(server, error);
    }
  }

  #unwritable(server: string, cause: unknown): FleetError {
    const fix = "make the folder writable or choose another one with --state";
    const text = `${this.#file(server)} cannot be written (${messageOf(cause)}); ${fix}`;
    return new FleetError("STATE_UNWRITABLE", text, { cause });
  }

  #file(server: string): string {
    return join(this.#folder ?? "", `${server}.sealed`);
  }
}

const newest = <T>(byIssuer: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(byIssuer).slice(-maxIssuers));
