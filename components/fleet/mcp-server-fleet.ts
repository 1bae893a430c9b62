import * as pulumi from "@pulumi/pulumi";
import { ProcessFleet } from "../process/process-fleet.ts";
import type { MCPServerFleetArgs } from "./args.ts";
import { resolveFleet } from "./resolve.ts";

/**
 * A fleet: instances of one MCP server, served by the `MCPGateway` that is given it. Its name is the server's name in
 * paths (`/mcp/<name>`) and in federated tool names (`<name>__<tool>`).
 */
export class MCPServerFleet extends pulumi.ComponentResource {
  /** The server's name in paths and tool names. */
  public readonly serverName: pulumi.Output<string>;
  /** Path of this server at its gateway: `/mcp/<name>`. */
  public readonly path: pulumi.Output<string>;
  /** Where its instances come from: a package and its version, a command line, or endpoints. */
  public readonly source: pulumi.Output<string>;

  constructor(name: string, args: MCPServerFleetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-fleet:index:MCPServerFleet", name, args, opts);
    const settings = resolveFleet(name, args);
    const { stateDirectory, server } = settings;
    const deployed = new ProcessFleet(`${name}-fleet`, { name, stateDirectory, server }, { parent: this });
    this.serverName = deployed.serverName;
    this.path = pulumi.interpolate`/mcp/${deployed.serverName}`;
    this.source = deployed.source;
    this.registerOutputs({ serverName: this.serverName, path: this.path, source: this.source });
  }
}
