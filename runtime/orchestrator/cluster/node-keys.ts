import { createHmac, createPrivateKey, createPublicKey, diffieHellman, type KeyObject, randomBytes } from "node:crypto";

/** PKCS #8 and SubjectPublicKeyInfo of an X25519 key, without the 32 bytes of the key itself (RFC 8410, section 7). */
const privatePrefix = Buffer.from("302e020100300506032b656e04220420", "hex");
const publicPrefix = Buffer.from("302a300506032b656e032100", "hex");

/** Shows the coordinator that a node is the one that came first under its id. */
export const proofHeader = "x-mcp-fleet-node-proof";

/** A public key as nodes report it: 32 bytes in base64url. */
export const publicKeyPattern = /^[A-Za-z0-9_-]{43}$/;

/**
 * The secret of one node and what follows from it. Nobody is told the secret: the coordinator gets a proof that is good
 * for this coordinator only, another node a token that is good for this pair only (X25519, RFC 7748), so that neither can
 * pretend to be the node elsewhere.
 */
export class NodeKeys {
  /** What other nodes need to know. */
  readonly publicKey: string;
  readonly #secret: Buffer;
  readonly #private: KeyObject;

  /** `secret` holds 32 bytes. Defaults to random ones. */
  constructor(secret: Buffer = randomBytes(32)) {
    this.#secret = secret;
    this.#private = createPrivateKey({
      key: Buffer.concat([privatePrefix, secret]),
      format: "der",
      type: "pkcs8",
    });
    const der = createPublicKey(this.#private).export({ format: "der", type: "spki" });
    this.publicKey = der.subarray(publicPrefix.length).toString("base64url");
  }

  /** Shows a coordinator that the node is the one that came first under its id. */
  proofFor(coordinator: string): string {
    return createHmac("sha256", this.#secret).update(`coordinator ${coordinator}`).digest("base64url");
  }

  /**
   * The bearer token of calls from one node of the pair to the other; both can tell it. Undefined for a key that no secret
   * comes of, such as a point of small order (RFC 7748, section 6.1).
   */
  tokenBetween(publicKey: string, from: string, to: string): string | undefined {
    const key = Buffer.concat([publicPrefix, Buffer.from(publicKey, "base64url")]);
    try {
      const peer = createPublicKey({ key, format: "der", type: "spki" });
      const shared = diffieHellman({ privateKey: this.#private, publicKey: peer });
      return createHmac("sha256", shared).update(`call ${from} ${to}`).digest("base64url");
    } catch {
      return undefined;
    }
  }
}
