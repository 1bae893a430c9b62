import type { IncomingMessage } from "node:http";
import { LRUCache } from "lru-cache";
import { localPrincipal, type Principal } from "../security/index.ts";

/** Who is authenticated behind a forwarded request, as the worker that took it says. Believed only on the internal socket. */
export const principalHeader = "x-mcp-fleet-principal";

/** Principals that are kept as one object each, because what they may do is kept by object. */
const maxKept = 1000;

/** A principal as a header says it. */
export function encodePrincipal({ scopes, roles, servers, ...rest }: Principal): string {
  const lists = { scopes: [...scopes], roles: [...roles], servers: servers && [...servers] };
  return Buffer.from(JSON.stringify({ ...rest, ...lists })).toString("base64url");
}

function decodePrincipal(text: string): Principal {
  const said = JSON.parse(Buffer.from(text, "base64url").toString());
  if (said.method === localPrincipal.method) return localPrincipal;
  const { scopes, roles, servers, ...rest } = said;
  return { ...rest, scopes: new Set(scopes), roles: new Set(roles), servers: servers && new Set(servers) };
}

/** The principals of forwarded requests. */
export class ForwardedPrincipals {
  readonly #kept = new LRUCache<string, Principal>({ max: maxKept });

  of(request: IncomingMessage): Principal {
    const text = request.headers[principalHeader] as string;
    let principal = this.#kept.get(text);
    if (principal === undefined) {
      principal = decodePrincipal(text);
      this.#kept.set(text, principal);
    }
    return principal;
  }
}
