import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { type Holder, hasExpired, type Principal, principalOf } from "./principal.ts";

/** A name with the scrypt hash of its password: `scrypt:N:r:p:salt:hash`, salt and hash in base64url. */
export interface StoredPassword extends Holder {
  readonly hash: string;
}

interface ScryptHash {
  readonly cost: { readonly N: number; readonly r: number; readonly p: number; readonly maxmem: number };
  readonly salt: Buffer;
  readonly hash: Buffer;
}

interface Entry {
  readonly stored: ScryptHash;
  readonly principal: Principal;
}

/** OWASP's password storage cheat sheet: N = 2^17, r = 8, p = 1 (128 MiB for a moment). */
const defaults = { N: 2 ** 17, r: 8, p: 1 };
const hashBytes = 32;

/**
 * Checks passwords. One name may have several while they are rotated. Every check costs the same number of hashes, those of unknown names too,
 * so that time tells nothing of names. `WaitingRoom` bounds how many run at once.
 */
export class Passwords {
  readonly #known = new Map<string, Entry[]>();
  readonly #clock: () => number;
  readonly #decoy: ScryptHash;
  readonly #hashes: number;

  constructor(passwords: readonly StoredPassword[], clock: () => number) {
    for (const stored of passwords) {
      const entries = this.#known.get(stored.name) ?? [];
      entries.push({ stored: parse(stored.hash), principal: principalOf(stored, "basic") });
      this.#known.set(stored.name, entries);
    }
    this.#clock = clock;
    const [first] = this.#known.values();
    const { cost } = first?.[0]?.stored ?? { cost: withMemory(defaults) };
    this.#decoy = { cost, salt: randomBytes(16), hash: randomBytes(hashBytes) };
    this.#hashes = Math.max(...[...this.#known.values()].map(({ length }) => length), 1);
  }

  /** Whose password it is; undefined when it is wrong. */
  async check(name: string, password: string): Promise<Principal | undefined> {
    const entries = this.#known.get(name);
    let found: Principal | undefined;
    for (let index = 0; index < this.#hashes; index += 1) {
      const entry = entries?.[index];
      const { cost, salt, hash } = entry?.stored ?? this.#decoy;
      const same = timingSafeEqual(await derive(password, salt, hash.length, cost), hash);
      if (same && entry !== undefined && !hasExpired(entry.principal, this.#clock())) found = entry.principal;
    }
    return found;
  }
}

/** The hash of a password as a configuration keeps it. */
export async function hashPassword(password: string, cost = defaults): Promise<string> {
  const salt = randomBytes(16);
  const derived = await derive(password, salt, hashBytes, withMemory(cost));
  return ["scrypt", cost.N, cost.r, cost.p, salt.toString("base64url"), derived.toString("base64url")].join(":");
}

function parse(text: string): ScryptHash {
  const [, N, r, p, salt, hash] = text.split(":");
  const cost = withMemory({ N: Number(N), r: Number(r), p: Number(p) });
  return { cost, salt: Buffer.from(salt as string, "base64url"), hash: Buffer.from(hash as string, "base64url") };
}

/** scrypt needs 128 · N · r bytes (RFC 7914, section 2), and a little more. */
const withMemory = ({ N, r, p }: { N: number; r: number; p: number }) => ({ N, r, p, maxmem: 128 * N * r + 2 ** 20 });

function derive(password: string, salt: Buffer, length: number, cost: ScryptHash["cost"]): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(password, salt, length, cost, (error, derived) => (error === null ? resolve(derived) : reject(error))),
  );
}
