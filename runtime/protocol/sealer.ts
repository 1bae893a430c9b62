import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

/** A key of 32 bytes and its name inside sealed texts. */
export interface SealingKey {
  readonly id: string;
  readonly key: Buffer;
}

const nonceBytes = 12;
const tagBytes = 16;
/** Characters of a mark: enough that two gateways have different ones. */
const markLength = 12;

/**
 * Seals and opens texts that clients keep for the gateway, with AES-256-GCM (NIST SP 800-38D). Form:
 * `<key id>.<base64url(nonce, ciphertext, tag)>`, visible ASCII. The first key seals, all open, so keys can be rotated.
 * What was sealed for one purpose does not open for another. `stable`: equal texts are sealed alike, so that clients can
 * compare them; the nonce is then made of the text (a synthetic one, as in RFC 5297).
 */
export class Sealer {
  readonly #purpose: string;
  readonly #sealing: SealingKey;
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #stable: boolean;
  /**
   * Names of the keys for whoever sees the text, the sealing one first: another gateway's key with the same id has another name.
   */
  readonly marks: readonly string[];

  constructor(purpose: string, keys: readonly SealingKey[], { stable = false } = {}) {
    if (keys[0] === undefined) throw new RangeError("at least one session key is needed");
    for (const { id, key } of keys) {
      if (key.length !== 32) throw new RangeError(`session key ${id} has ${key.length} bytes instead of 32`);
    }
    this.#purpose = purpose;
    this.#stable = stable;
    this.#sealing = keys[0];
    this.#keys = new Map(keys.map(({ id, key }) => [id, key]));
    this.marks = keys.map(({ key }) =>
      createHmac("sha256", key).update(`mark of ${purpose}`).digest("base64url").slice(0, markLength),
    );
  }

  seal(plain: string): string {
    const { id, key } = this.#sealing;
    const nonce = this.#stable ? this.#nonceOf(plain, key) : randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(this.#context(id));
    const sealed = Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `${id}.${sealed.toString("base64url")}`;
  }

  /** The text, or undefined for one that no key of ours has sealed for this purpose. */
  open(text: string): string | undefined {
    const dot = text.indexOf(".");
    const keyId = text.slice(0, Math.max(dot, 0));
    const key = this.#keys.get(keyId);
    if (key === undefined) return undefined;
    const sealed = text.slice(dot + 1);
    const bytes = Buffer.from(sealed, "base64url");
    // The decoder skips what is no base64url: only the one spelling that was given out is taken.
    if (bytes.length <= nonceBytes + tagBytes || bytes.toString("base64url") !== sealed) return undefined;
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes))
      .setAAD(this.#context(keyId))
      .setAuthTag(bytes.subarray(-tagBytes));
    try {
      return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, "utf8") + decipher.final("utf8");
    } catch {
      return undefined;
    }
  }

  #nonceOf(plain: string, key: Buffer): Buffer {
    return createHmac("sha256", key).update(`nonce of ${this.#purpose}\n${plain}`).digest().subarray(0, nonceBytes);
  }

  #context(keyId: string): Buffer {
    return Buffer.from(`${this.#purpose}\n${keyId}`);
  }
}
