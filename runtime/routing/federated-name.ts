import { createHash } from "node:crypto";

/** Longest tool or prompt name that all known clients take. */
export const maxNameLength = 64;
const separator = "__";
const hashLength = 8;

/**
 * Name of a server's tool or prompt at `/mcp`: `<server>__<name>`. Longer than 64 characters it is cut and ends in `_`
 * and eight hex digits of the SHA-256 of the whole name, so two long names that begin alike stay apart.
 */
export function federatedName(server: string, name: string): string {
  const full = `${server}${separator}${name}`;
  if (full.length <= maxNameLength) return full;
  const digest = createHash("sha256").update(full).digest("hex").slice(0, hashLength);
  return `${full.slice(0, maxNameLength - hashLength - 1)}_${digest}`;
}

/** The parts of a federated name; server names hold no underscore. `cut` tells that `name` may have been shortened. */
export function splitFederatedName(text: string): { server: string; name: string; cut: boolean } | undefined {
  const at = text.indexOf(separator);
  if (at <= 0) return undefined;
  return { server: text.slice(0, at), name: text.slice(at + separator.length), cut: text.length === maxNameLength };
}
