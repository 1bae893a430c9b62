import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** The checkout that these scripts belong to. */
export const root = join(import.meta.dirname, "..");

/** Where this checkout keeps stacks, logs and gateways: `MCP_FLEET_STATE`, else `.mcp-fleet` in it. */
export const stateRoot = process.env.MCP_FLEET_STATE ?? join(root, ".mcp-fleet");

/**
 * Environment of the Pulumi engine: a local file backend under the state folder, unless the user has chosen another
 * one (`PULUMI_BACKEND_URL`, an access token, or an earlier `pulumi login`).
 */
export function engineEnvironment(): Record<string, string> {
  const path = `${join(root, "node_modules", "@pulumi", "pulumi")}${delimiter}${process.env.PATH ?? ""}`;
  // The engine's TypeScript loader, which nothing here uses, would leave an empty cache in the folder for temporary files.
  const common = { TS_NODE_CACHE: "false", PATH: path, MCP_FLEET_STATE: stateRoot, PULUMI_SKIP_UPDATE_CHECK: "true" };
  if (loggedInElsewhere()) return common;
  const backend = join(stateRoot, "pulumi");
  mkdirSync(backend, { recursive: true });
  const environment = { ...common, PULUMI_BACKEND_URL: `file://${backend}` };
  // The local backend's stacks hold no secrets unless the user says how to keep them.
  if (process.env.PULUMI_CONFIG_PASSPHRASE_FILE !== undefined) return environment;
  return { ...environment, PULUMI_CONFIG_PASSPHRASE: process.env.PULUMI_CONFIG_PASSPHRASE ?? "" };
}

function loggedInElsewhere(): boolean {
  if (process.env.PULUMI_BACKEND_URL || process.env.PULUMI_ACCESS_TOKEN) return true;
  const file = join(process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"), "credentials.json");
  if (!existsSync(file)) return false;
  const { current } = JSON.parse(readFileSync(file, "utf8")) as { current?: string };
  return current !== undefined && current !== "";
}
