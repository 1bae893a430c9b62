import { createHmac, timingSafeEqual } from "node:crypto";
import type { SealingKey } from "../protocol/sealer.ts";

const macBytes = 32;

/**
 * Marks what this gateway writes to a shared cache, so that nobody else who can write there can answer a call: HMAC-SHA256 over the key and
 * the value, by keys derived from those of the sessions. Form: `<key id>.<base64url of the MAC>`, a line break, the value. The first key marks,
 * all are taken, so that keys can be rotated.
 */
export class EntrySeal {
  readonly #first: string;
  readonly #keys: ReadonlyMap<string, Buffer>;

  constructor(keys: readonly SealingKey[]) {
    if (keys[0] === undefined) throw new RangeError("at least one session key is needed");
    this.#first = keys[0].id;
    this.#keys = new Map(keys.map(({ id, key }) => [id, createHmac("sha256", key).update("shared cache").digest()]));
  }

  seal(name: string, value: string): string {
    return `${this.#first}.${this.#mac(this.#keys.get(this.#first) as Buffer, name, value).toString("base64url")}\n${value}`;
  }

  /** The value that was sealed under this name; undefined for anything else. */
  open(name: string, sealed: string): string | undefined {
    const end = sealed.indexOf("\n");
    const dot = sealed.indexOf(".");
    const key = dot < 0 || dot > end ? undefined : this.#keys.get(sealed.slice(0, dot));
    if (key === undefined) return undefined;
    const mac = Buffer.from(sealed.slice(dot + 1, end), "base64url");
    const value = sealed.slice(end + 1);
    return mac.length === macBytes && timingSafeEqual(mac, this.#mac(key, name, value)) ? value : undefined;
  }

  #mac(key: Buffer, name: string, value: string): Buffer {
    // Names are digests of one length, so that none runs into its value.
    return createHmac("sha256", key).update(`${name}\n`).update(value).digest();
  }
}
