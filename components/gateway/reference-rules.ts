import { defaults } from "../defaults.ts";
import { knownPart } from "../known-part.ts";
import type { MCPGatewayArgs } from "./args.ts";

/** Fleets of which the gateway knows nothing: another language, or a plain object, gave less than the component. */
export function unknownFleets(fleets: MCPGatewayArgs["fleets"]): string[] {
  return [...fleets.entries()]
    .filter(([, { configuration }]) => configuration === undefined)
    .map(
      ([index]) => `fleets[${index}].configuration is missing; pass the MCPServerFleet itself, or that output of it`,
    );
}

/**
 * References to secrets that nobody gives: they would keep the gateway from starting, later and with fewer words.
 * @param given Names of the secrets that there are.
 */
export function unknownSecrets(
  given: readonly string[],
  { auth, session }: Pick<MCPGatewayArgs, "auth" | "session">,
): string[] {
  const texts = JSON.stringify(knownPart({ auth, session })) ?? "";
  const reference = new RegExp(`file:${defaults.secretsFolder}/([-._A-Za-z0-9]+)`, "g");
  const named = new Set([...texts.matchAll(reference)].map((match) => match[1] as string));
  return [...named]
    .filter((name) => !given.includes(name))
    .map((name) => `a reference names the secret "${name}", which is not given; add secrets.${name}, or correct it`);
}
