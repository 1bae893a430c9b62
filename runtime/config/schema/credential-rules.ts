import { shownAddress } from "../shown-source.ts";
import { holdsUser } from "./address-rules.ts";
import { secretRule } from "./auth-rules.ts";
import type { Credentials } from "./credentials.ts";
import type { ConfigPath } from "./issue.ts";

type Add = (field: ConfigPath, message: string, fix: string) => void;

/** What JSON Schema cannot say well of `credentials`. */
export function credentialRules(credentials: Credentials, protocol: string, add: Add): void {
  const { header, callers, oauth } = credentials;
  const kinds = Object.keys(credentials);
  if (kinds.length !== 1) {
    const message = kinds.length === 0 ? "names no kind" : `has several kinds (${kinds.join(", ")})`;
    add(["credentials"], message, "keep one of header, callers and oauth");
  }
  if (protocol === "stdio" || protocol === "tcp") {
    const fix = protocol === "stdio" ? "use process.env" : "remove it, or use an endpoint with http:// or ws://";
    add(["credentials"], `stands beside a server that is reached over ${protocol}, which carries none`, fix);
  }
  if ((protocol === "ws" || protocol === "sse") && header === undefined && kinds.length === 1) {
    const fix = "use credentials.header, or Streamable HTTP";
    add(["credentials"], `is of a kind (${kinds[0]}) that one connection over ${protocol} cannot carry`, fix);
  }
  const secret = (text: string | undefined, field: ConfigPath) => {
    if (text !== undefined) secretRule(text, ["credentials", ...field], add);
  };
  secret(header?.value, ["header", "value"]);
  secret(callers?.gateway, ["callers", "gateway"]);
  for (const [caller, text] of Object.entries(callers?.secrets ?? {})) secret(text, ["callers", "secrets", caller]);
  secret(oauth?.clientSecret, ["oauth", "clientSecret"]);
  secret(oauth?.privateKey, ["oauth", "privateKey"]);
  secret(oauth?.assertion, ["oauth", "assertion"]);
  if (oauth !== undefined)
    oauthRules(oauth, (field, message, fix) => add(["credentials", "oauth", ...field], message, fix));
}

function oauthRules(oauth: NonNullable<Credentials["oauth"]>, add: Add): void {
  const { grant, issuer, clientId, clientSecret, privateKey, clientMetadataUrl, assertion } = oauth;
  for (const [key, url] of Object.entries({ issuer, clientMetadataUrl })) {
    if (url === undefined || !holdsUser(url)) continue;
    const shown = shownAddress(url);
    add([key], `is "${shown}" with a user or password in it, which is not sent`, "remove what stands before the @");
  }
  const person = grant === "authorization-code";
  const workload = grant === "jwt-bearer";
  if (!person && clientId === undefined && clientMetadataUrl === undefined) {
    add(["clientId"], `is missing, which ${grant} needs`, "register the gateway at the authorization server");
  }
  if (workload && assertion === undefined) {
    add(["assertion"], "is missing, by which the gateway is known", "refer to the file with this workload's JWT");
  }
  if (!workload && assertion !== undefined) add(["assertion"], `is not for ${grant}`, "remove it, or use jwt-bearer");
  if (!person && !workload && clientSecret === undefined && privateKey === undefined) {
    add(["clientSecret"], `is missing, which ${grant} needs`, "add clientSecret, or privateKey");
  }
  if (clientSecret !== undefined && privateKey !== undefined)
    add(["privateKey"], "stands beside clientSecret", "keep one");
  if (grant === "token-exchange" && privateKey === undefined) {
    add(
      ["privateKey"],
      "is missing, with which the gateway vouches for its callers",
      "add it, and register its public key",
    );
  }
  // Otherwise a server could name an authorization server of its own and be given what is another's (SEP-2352).
  if (issuer === undefined && (clientId ?? clientSecret ?? privateKey ?? assertion) !== undefined) {
    add(
      ["issuer"],
      "is missing beside what belongs to one authorization server",
      "add the issuer that registered the client",
    );
  }
  if (clientSecret !== undefined && clientId === undefined)
    add(["clientId"], "is missing beside clientSecret", "add it");
}
