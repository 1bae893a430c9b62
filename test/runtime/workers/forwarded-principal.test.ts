import type { IncomingMessage } from "node:http";
import { expect, test } from "@jest/globals";
import { localPrincipal, type Principal } from "../../../runtime/security/index.ts";
import { encodePrincipal, ForwardedPrincipals, principalHeader } from "../../../runtime/workers/forwarded-principal.ts";

const anna: Principal = {
  ...{ caller: "https://issuer#änna", method: "jwt", claims: { team: "a" }, expiresAt: 1_800_000_000_000 },
  ...{ scopes: new Set(["read", "write"]), roles: new Set(["admin"]), servers: new Set(["context7"]) },
};
const request = (principal: Principal) =>
  ({ headers: { [principalHeader]: encodePrincipal(principal) } }) as unknown as IncomingMessage;

test("a principal arrives as it was, and is one object for all its requests", () => {
  const principals = new ForwardedPrincipals();
  const arrived = principals.of(request(anna));
  expect(arrived).toEqual(anna);
  expect(principals.of(request(anna))).toBe(arrived);
  const all = { ...anna, servers: undefined, expiresAt: undefined };
  expect(principals.of(request(all))).toEqual(all);
  expect(principals.of(request(localPrincipal))).toBe(localPrincipal);
});

test("a thousand of them are kept; the one that was used longest ago is made again", () => {
  const principals = new ForwardedPrincipals();
  const first = principals.of(request(anna));
  for (let at = 0; at < 1000; at += 1) principals.of(request({ ...anna, caller: `caller-${at}` }));
  expect(principals.of(request(anna))).not.toBe(first);
  const kept = principals.of(request({ ...anna, caller: "caller-999" }));
  expect(principals.of(request({ ...anna, caller: "caller-999" }))).toBe(kept);
});
