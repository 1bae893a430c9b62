import type * as pulumi from "@pulumi/pulumi";
import { MCPGateway, MCPServerFleet } from "../index.ts";
import { readConfig } from "./config.ts";

const config = readConfig();
let made: pulumi.Output<string> | undefined;
if (config.namespace !== undefined) {
  // Loads the provider's SDK, which stacks without a namespace do not need.
  const { restrictedNamespace } = await import("./namespace.ts");
  made = restrictedNamespace(config.namespace);
}
/** Arguments that wait for the stack's namespace, where they name it. */
const within = <Args extends { kubernetes?: { namespace?: pulumi.Input<string> } }>(args: Args): Args =>
  made !== undefined && args.kubernetes?.namespace === config.namespace
    ? { ...args, kubernetes: { ...args.kubernetes, namespace: made } }
    : args;

const fleets = Object.entries(config.fleets).map(([name, args]) => new MCPServerFleet(name, within(args)));
const gateway = new MCPGateway("gateway", { ...within(config.gateway), fleets });

/** What MCP clients are given. */
export const endpoint = gateway.endpoint;
/** Base of the gateway's paths. */
export const url = gateway.internalEndpoint;
/** `running`, or `stopped` when a refresh found it dead. */
export const status = gateway.status;
/** Where each fleet's instances come from. */
export const sources = Object.fromEntries(
  fleets.map((fleet, index) => [Object.keys(config.fleets)[index], fleet.source]),
);
