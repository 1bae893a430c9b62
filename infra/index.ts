import { MCPGateway, MCPServerFleet } from "../index.ts";
import { readConfig } from "./config.ts";

const config = readConfig();
const fleets = Object.entries(config.fleets).map(([name, args]) => new MCPServerFleet(name, args));
const gateway = new MCPGateway("gateway", { ...config.gateway, fleets });

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
