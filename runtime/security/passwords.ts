import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { FleetError } from "../errors.ts";
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

/** OWASP's password storage cheat sheet: N = 2^17, r = 8, p = 1 (128 MiB for a moment). */
const defaults = { N: 2 ** 17, r: 8, p: 1 };
const hashBytes = 32;
/** Hashing keeps a thread and memory busy; more at once would starve the file system's threads. */
const maxAtOnce = 2;
/** Past this, callers are told to come back: a flood of wrong passwords must not fill the memory. */
const maxWaiting = 64;

/** Checks passwords. Unknown names cost a hash as well, so that they cannot be told from wrong passwords by time. */
export class Passwords {
  readonly #known: ReadonlyMap<string, { readonly stored: ScryptHash; readonly principal: Principal }>;
  readonly #clock: () => number;
  readonly #decoy: ScryptHash;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(passwords: readonly StoredPassword[], clock: () => number) {
    const parsed = passwords.map((entry) => ({ stored: parse(entry.hash), principal: principalOf(entry, "basic") }));
    this.#known = new Map(parsed.map((entry) => [entry.principal.caller, entry]));
    this.#clock = clock;
    const { cost } = parsed[0]?.stored ?? { cost: withMemory(defaults) };
    this.#decoy = { cost, salt: randomBytes(16), hash: randomBytes(hashBytes) };
  }

  /** Whose password it is; undefined when it is wrong. Rejects with AUTH_BUSY past the bound of waiting ones. */
  async check(name: string, password: string): Promise<Principal | undefined> {
    const entry = this.#known.get(name);
    const { cost, salt, hash } = entry?.stored ?? this.#decoy;
    await this.#turn();
    try {
      const same = timingSafeEqual(await derive(password, salt, hash.length, cost), hash);
      return same && entry !== undefined && !hasExpired(entry.principal, this.#clock()) ? entry.principal : undefined;
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= maxAtOnce) {
      if (this.#waiting.length >= maxWaiting) {
        throw new FleetError("AUTH_BUSY", "Service unavailable: too many passwords are being checked; try again");
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
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
