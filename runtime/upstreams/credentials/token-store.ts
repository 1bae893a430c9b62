import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FleetError, messageOf } from "../../errors.ts";
import type { Sealer } from "../../protocol/sealer.ts";

/** The gateway as a client that an authorization server has registered. */
export interface StoredClient {
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly authMethod: string;
  readonly redirectUri: string;
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

/**
 * Keeps what `mcp-fleet login` has got, one sealed file a server, readable by nobody else; without a folder, in memory.
 * The gateway and the command use it side by side: each update reads first.
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

  /** What is known of a server; nothing when no key of ours opens the file. */
  async read(server: string): Promise<ServerRecord> {
    if (this.#folder === undefined) return this.#memory.get(server) ?? empty;
    const text = await readFile(this.#file(server), "utf8").catch(() => undefined);
    const plain = text === undefined ? undefined : this.#sealer.open(text.trim());
    return plain === undefined ? empty : (JSON.parse(plain) as ServerRecord);
  }

  /** Changes it. Rejects with STATE_UNWRITABLE. */
  update(server: string, change: (record: ServerRecord) => ServerRecord): Promise<void> {
    const done = this.#queue.then(() => this.#update(server, change));
    this.#queue = done.catch(() => {});
    return done;
  }

  async #update(server: string, change: (record: ServerRecord) => ServerRecord): Promise<void> {
    const changed = change(await this.read(server));
    const record = { ...changed, clients: newest(changed.clients), tokens: newest(changed.tokens) };
    if (this.#folder === undefined) {
      this.#memory.set(server, record);
      return;
    }
    const file = this.#file(server);
    const fresh = `${file}.${randomUUID()}`;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(fresh, `${this.#sealer.seal(JSON.stringify(record))}\n`, { mode: 0o600, flag: "wx" });
      await rename(fresh, file);
    } catch (error) {
      const fix = "make the folder writable or choose another one with --state";
      const text = `${file} cannot be written (${messageOf(error)}); ${fix}`;
      throw new FleetError("STATE_UNWRITABLE", text, { cause: error });
    }
  }

  #file(server: string): string {
    return join(this.#folder ?? "", `${server}.sealed`);
  }
}

const newest = <T>(byIssuer: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(byIssuer).slice(-maxIssuers));
