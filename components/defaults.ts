import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

/** Every default of the components that is not one of the configuration itself; a default is a contract. */
export const defaults = Object.freeze({
  // The program runs on the machine that it deploys to, and nothing else is needed.
  platform: "process",
  // Where secrets lie in a container, as container runtimes have it.
  secretsFolder: "/run/secrets/mcp-fleet",
  // Processes of a server on its standard streams in one container, as in the configuration's own default.
  maxProcesses: 4,
});

/**
 * State folder of the `process` platform: one per project and stack, under `MCP_FLEET_STATE`, else under the user's
 * folder for state (XDG base directory specification).
 */
export function stateDirectory(): string {
  const home = process.env.XDG_STATE_HOME ?? join(homedir(), ".local", "state");
  const root = process.env.MCP_FLEET_STATE ?? join(home, "mcp-fleet");
  return join(root, `${pulumi.getProject()}-${pulumi.getStack()}`);
}
