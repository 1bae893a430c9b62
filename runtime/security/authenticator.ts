import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { FleetError } from "../errors.ts";

/** A token and who holds it. */
export interface NamedToken {
  readonly name: string;
  readonly token: string;
}

/** Who calls when no authentication is configured: whoever can reach the loopback address. */
export const localCaller = "local";

/** Tells who is calling. Keeps hashes instead of tokens, so that a look-up takes the same time whatever was sent. */
export class Authenticator {
  readonly #names: ReadonlyMap<string, string> | undefined;

  constructor(tokens: readonly NamedToken[] | undefined) {
    this.#names = tokens && new Map(tokens.map(({ name, token }) => [hash(token), name]));
  }

  /** The caller's name. Throws UNAUTHENTICATED. */
  identify(request: IncomingMessage): string {
    if (this.#names === undefined) return localCaller;
    const [scheme, token] = (request.headers.authorization ?? "").split(" ", 2);
    const name = scheme?.toLowerCase() === "bearer" && token ? this.#names.get(hash(token)) : undefined;
    if (name !== undefined) return name;
    throw new FleetError("UNAUTHENTICATED", "Unauthorized: send a configured token as `Authorization: Bearer <token>`");
  }
}

const hash = (token: string): string => createHash("sha256").update(token).digest("base64");
