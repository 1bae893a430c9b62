import type { MCPGatewayArgs } from "./args.ts";

/** Fleets of which the gateway knows nothing: another language, or a plain object, gave less than the component. */
export function unknownFleets(fleets: MCPGatewayArgs["fleets"]): string[] {
  return [...fleets.entries()]
    .filter(([, { configuration }]) => configuration === undefined)
    .map(
      ([index]) => `fleets[${index}].configuration is missing; pass the MCPServerFleet itself, or that output of it`,
    );
}
