import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { GatewayOwner } from "../../runtime/config/schema/index.ts";

/** What a backend without organizations calls its only one. */
const noOrganization = "organization";

/** The program that runs, as a state folder says whose it is. */
export function gatewayOwner(): GatewayOwner {
  return {
    organization: organization(),
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
    program: process.cwd(),
  };
}

/**
 * State folder of the `process` platform: one per organization, project and stack, under `MCP_FLEET_STATE`, else under the
 * user's folder for state (XDG base directory specification). Names cannot hold an `@`, so no two stacks have the same one.
 */
export function stateDirectory(): string {
  const home = process.env.XDG_STATE_HOME ?? join(homedir(), ".local", "state");
  const root = process.env.MCP_FLEET_STATE ?? join(home, "mcp-fleet");
  const { organization: of, project, stack } = gatewayOwner();
  const earlier = join(root, `${project}-${stack}`);
  if (isOurs(earlier, project, stack)) return earlier;
  return join(root, [...(of === noOrganization ? [] : [of]), project, stack].join("@"));
}

/** A folder of an earlier version, whose name could be that of several stacks, stays where it is until it is destroyed. */
function isOurs(folder: string, project: string, stack: string): boolean {
  if (!existsSync(folder)) return false;
  try {
    const owner = JSON.parse(readFileSync(join(folder, "owner.json"), "utf8")) as GatewayOwner;
    return owner.project === project && owner.stack === stack;
  } catch {
    return true;
  }
}

/** An engine of an earlier version does not say. */
function organization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return noOrganization;
  }
}
