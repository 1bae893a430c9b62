import { readConfig } from "./config.ts";
import { deploy } from "./program.ts";

const { fleets, gateway } = await deploy(readConfig());

/** What MCP clients are given. */
export const endpoint = gateway.endpoint;
/** Base of the gateway's paths. */
export const url = gateway.internalEndpoint;
/** `running`, or `stopped` when a refresh found it dead. */
export const status = gateway.status;
/** Where each fleet's instances come from. */
export const sources = Object.fromEntries([...fleets].map(([name, fleet]) => [name, fleet.source]));
