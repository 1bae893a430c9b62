import type { ClientServer } from "./client-server.ts";
import { namesSecret, type SecretKeeper } from "./secrets.ts";

/** A server's `credentials.header` in a configuration. */
interface HeaderCredentials {
  readonly name?: string;
  readonly scheme?: string;
  readonly value: string;
}

const withScheme = /^(Bearer|Basic|Token)\s+(.+)$/is;

/**
 * The one header that lets a client in. A configuration carries one; the others are told to the user. Undefined where no
 * header is a credential.
 */
export function credentialsOf(
  { name: server, headers, headerVariables }: Pick<ClientServer, "name" | "headers" | "headerVariables">,
  secrets: SecretKeeper,
  note: (text: string) => void,
): { readonly header: HeaderCredentials } | undefined {
  let kept: HeaderCredentials | undefined;
  const left: string[] = [];
  for (const [name, { variable, scheme }] of Object.entries(headerVariables)) {
    if (kept === undefined) kept = headerOf(name, scheme, `\${${variable}}`);
    else left.push(name);
  }
  for (const [name, value] of Object.entries(headers)) {
    if (kept !== undefined || !namesSecret(name)) {
      left.push(name);
      continue;
    }
    const [, scheme, secret = value] = withScheme.exec(value) ?? [];
    kept = headerOf(name, scheme, secrets.keep(secret, server, scheme === undefined ? name : "token"));
  }
  if (left.length > 0) note(`headers not taken over: ${left.join(", ")} (a server has one header, for its credential)`);
  return kept && { header: kept };
}

function headerOf(name: string, scheme: string | undefined, value: string): HeaderCredentials {
  const named = name.toLowerCase() === "authorization" ? {} : { name };
  return { ...named, ...(scheme === undefined ? {} : { scheme }), value };
}
