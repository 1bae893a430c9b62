import { bareHost } from "../../host-name.ts";
import { shownAddress } from "../shown-source.ts";
import { holdsUser } from "./address-rules.ts";
import type { Auth } from "./auth.ts";
import type { ConfigPath } from "./issue.ts";
import { isLoopback } from "./names.ts";

type Add = (field: ConfigPath, message: string, fix: string) => void;

const reference = /^(\$\{[A-Za-z_][A-Za-z0-9_]*\}|file:.+)$/;

/** Is all of it a variable or the name of a file? */
export const isReference = (text: string): boolean => reference.test(text);

/** Does anything in it let a caller in? */
export function admits(auth: Auth | undefined): boolean {
  if (auth === undefined) return false;
  const { bearerTokens, apiKeys, basic, jwt, clientCertificates, allowAnonymous } = auth;
  return [bearerTokens, apiKeys, basic, jwt, clientCertificates].some(Boolean) || allowAnonymous === true;
}

/** A configuration file holds references, not secrets. */
export function secretRule(text: string, at: ConfigPath, add: Add): void {
  if (isReference(text)) return;
  add(at, "holds a secret itself", "refer to an environment variable as ${NAME}, or to a file as file:PATH");
}

/** The address of Redis may stand in the file, its password may not. */
export function redisRule(url: string, at: ConfigPath, add: Add): void {
  if (isReference(url)) return;
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    add(at, "is no URL of Redis", "write redis://host:6379, or rediss:// for TLS");
  } else if (new URL(url).password !== "") {
    const fix = "refer to an environment variable as ${NAME}, or to a file as file:PATH, with the whole URL";
    add(at, "holds a secret itself", fix);
  }
}

/** What JSON Schema cannot say well of `gateway.auth`. */
export function authRules(auth: Auth, add: Add): void {
  if (!admits(auth)) {
    add([], "lets nobody in", "add bearerTokens, apiKeys, basic, jwt or clientCertificates, or allowAnonymous: true");
  }
  const stored = [
    ["bearerTokens", "token", auth.bearerTokens ?? []],
    ["apiKeys", "key", auth.apiKeys ?? []],
  ] as const;
  for (const [list, key, items] of stored) {
    for (const [index, item] of items.entries()) {
      const secret = (item as { readonly token?: string; readonly key?: string })[key];
      if ((secret === undefined) === (item.hash === undefined)) {
        add(
          [list, index],
          `needs either ${key} or hash`,
          `give ${key} as a reference, or hash as sha256:<64 hex digits>`,
        );
      }
      if (secret !== undefined) secretRule(secret, [list, index, key], add);
    }
  }
  const dated = [...stored.map(([list, , items]) => [list, items] as const), ["basic", auth.basic ?? []] as const];
  for (const [list, items] of dated) {
    for (const [index, { name, expiresAt }] of items.entries()) {
      if (name.includes("#"))
        add([list, index, "name"], `is "${name}"`, "leave out #, which stands in names of token holders");
      if (expiresAt !== undefined && Number.isNaN(Date.parse(expiresAt))) {
        add([list, index, "expiresAt"], `is "${expiresAt}", which is no time`, "write it like 2027-01-31T00:00:00Z");
      }
    }
  }
  for (const [index, { issuer, jwksUri, jwksFile, audience, introspection, algorithms }] of (
    auth.jwt ?? []
  ).entries()) {
    const at = ["jwt", index];
    for (const [key, url] of Object.entries({ issuer, jwksUri }))
      if (url !== undefined) urlRule(url, [...at, key], add);
    if (introspection?.url !== undefined) urlRule(introspection.url, [...at, "introspection", "url"], add);
    if (introspection !== undefined)
      secretRule(introspection.clientSecret, [...at, "introspection", "clientSecret"], add);
    if (jwksUri !== undefined && jwksFile !== undefined)
      add([...at, "jwksFile"], "stands beside jwksUri", "keep one of the two");
    if (audience === undefined && auth.oauth === undefined) {
      add([...at, "audience"], "is missing", "name the audience of tokens for this gateway, or add oauth.resource");
    }
    const weak = algorithms?.find((algorithm) => /^(HS\d+|none)$/i.test(algorithm));
    if (weak !== undefined) {
      add([...at, "algorithms"], `holds "${weak}"`, "use algorithms with a public key, such as ES256 or RS256");
    }
  }
  if (auth.oauth !== undefined) urlRule(auth.oauth.resource, ["oauth", "resource"], add);
}

/** Tokens and keys go over TLS, or do not leave the machine (OAuth 2.1, section 1.5). */
function urlRule(text: string, at: ConfigPath, add: Add): void {
  if (holdsUser(text)) {
    add(
      at,
      `is "${shownAddress(text)}" with a user or password in it, which is not sent`,
      "remove what stands before the @",
    );
    return;
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(bareHost(url.hostname)))) return;
  add(at, `is "${text}"`, "give an https:// URL (http:// on loopback only)");
}
