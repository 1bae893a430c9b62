import { hash, timingSafeEqual } from "node:crypto";
import { type AuthMethod, type Holder, hasExpired, type Principal, principalOf } from "./principal.ts";

/** A stored secret: itself, resolved from a reference, or its SHA-256 as `sha256:<hex>`. */
export interface StoredSecret extends Holder {
  readonly secret?: string | undefined;
  readonly hash?: string | undefined;
}

interface Entry {
  readonly digest: Buffer;
  readonly principal: Principal;
}

/** SHA-256 of a secret in hex: what is kept, compared and used as a key instead of the secret. */
export const digestOf = (secret: string): string => hash("sha256", secret, "hex");

const nobody = Buffer.alloc(32);

/**
 * Long random secrets by their SHA-256 (a slow hash is for passwords; these cannot be guessed). An unknown one costs the
 * same as a known one: one hash, one look-up by the digest, one comparison in constant time.
 */
export class SecretTable {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: () => number;

  /** `clock`: milliseconds since the epoch. */
  constructor(secrets: readonly StoredSecret[], method: AuthMethod, clock: () => number) {
    this.#clock = clock;
    for (const stored of secrets) {
      const digest = stored.hash?.slice("sha256:".length) ?? digestOf(stored.secret ?? "");
      this.#entries.set(digest, { digest: Buffer.from(digest, "hex"), principal: principalOf(stored, method) });
    }
  }

  /** Who holds the secret of this digest; undefined for an unknown one, and for one that has ended. */
  find(digest: string): Principal | undefined {
    const entry = this.#entries.get(digest);
    const same = timingSafeEqual(Buffer.from(digest, "hex"), entry?.digest ?? nobody);
    return same && entry !== undefined && !hasExpired(entry.principal, this.#clock()) ? entry.principal : undefined;
  }
}
