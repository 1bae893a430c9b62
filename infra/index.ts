import { join } from "node:path";
import { readConfig } from "./config.ts";
import { deploy } from "./program.ts";

// Plain `pulumi up` finds what `npm start` has made, and the other way round.
process.env.MCP_FLEET_STATE ??= join(import.meta.dirname, "..", ".mcp-fleet");

const { fleets, gateway, monitoring } = await deploy(readConfig());

/** What MCP clients are given. */
export const endpoint = gateway.endpoint;
/** Base of the gateway's paths. */
export const url = gateway.internalEndpoint;
/** `running`, or `stopped` when a refresh found it dead. */
export const status = gateway.status;
/** Where each fleet's instances come from. */
export const sources = Object.fromEntries([...fleets].map(([name, fleet]) => [name, fleet.source]));
/** What watches the gateway answers here; empty where a stack runs no such thing, since Pulumi warns of an output that is undefined. */
export const watchedAt =
  monitoring === undefined
    ? {}
    : {
        prometheus: monitoring.prometheusUrl,
        alertmanager: monitoring.alertmanagerUrl,
        dashboard: monitoring.dashboardUrl,
        topic: monitoring.topicArn,
      };
