import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { DownstreamRevision } from "./revisions.ts";

/** What a session id carries, so that any worker, replica or restarted gateway serves the session without a store. */
export interface SessionClaims {
  /** Random, unique per session. */
  readonly id: string;
  readonly revision: DownstreamRevision;
  /** The fleet of `/mcp/<server>`; undefined at the federated `/mcp`. */
  readonly server: string | undefined;
  /** Who opened it; another caller's use is refused. */
  readonly caller: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
}

/** A key of 32 bytes and its name inside session ids. */
export interface SealingKey {
  readonly id: string;
  readonly key: Buffer;
}

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals and opens session ids with AES-256-GCM (NIST SP 800-38D). Form: `<key id>.<base64url(nonce, ciphertext, tag)>`,
 * visible ASCII as MCP asks (basic/transports). The first key seals, all open, so keys can be rotated.
 */
export class SessionSealer {
  readonly #sealing: SealingKey;
  readonly #keys: ReadonlyMap<string, Buffer>;

  constructor(keys: readonly SealingKey[]) {
    if (keys[0] === undefined) throw new RangeError("at least one session key is needed");
    for (const { id, key } of keys) {
      if (key.length !== 32) throw new RangeError(`session key ${id} has ${key.length} bytes instead of 32`);
    }
    this.#sealing = keys[0];
    this.#keys = new Map(keys.map(({ id, key }) => [id, key]));
  }

  seal(claims: SessionClaims): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", this.#sealing.key, nonce).setAAD(Buffer.from(this.#sealing.id));
    const { id, revision, server, caller, openedAt } = claims;
    const plain = JSON.stringify([id, revision, server ?? null, caller, openedAt]);
    const sealed = Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `${this.#sealing.id}.${sealed.toString("base64url")}`;
  }

  /** The claims, or undefined for an id that no key of ours has sealed. */
  open(text: string): SessionClaims | undefined {
    const dot = text.indexOf(".");
    const keyId = text.slice(0, Math.max(dot, 0));
    const key = this.#keys.get(keyId);
    const bytes = Buffer.from(text.slice(dot + 1), "base64url");
    if (key === undefined || bytes.length <= nonceBytes + tagBytes) return undefined;
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes))
      .setAAD(Buffer.from(keyId))
      .setAuthTag(bytes.subarray(-tagBytes));
    try {
      const plain = decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, "utf8") + decipher.final("utf8");
      const [id, revision, server, caller, openedAt] = JSON.parse(plain);
      return { id, revision, server: server ?? undefined, caller, openedAt };
    } catch {
      return undefined;
    }
  }
}
