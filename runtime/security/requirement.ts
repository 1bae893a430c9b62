import type { Requirement } from "../config/schema/index.ts";
import type { Principal } from "./principal.ts";

/** Has the caller what an interface or a server wants? */
export function satisfies(principal: Principal, { methods, scopes, roles }: Requirement): boolean {
  if (methods !== undefined && !(methods as readonly string[]).includes(principal.method)) return false;
  if (roles !== undefined && !roles.some((role) => principal.roles.has(role))) return false;
  return scopes === undefined || scopes.every((scope) => principal.scopes.has(scope));
}

/** The scopes of a requirement that the caller lacks. */
export const missingScopes = (principal: Principal, { scopes = [] }: Requirement): string[] =>
  scopes.filter((scope) => !principal.scopes.has(scope));
