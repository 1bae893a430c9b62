import * as pulumi from "@pulumi/pulumi";
import { hiddenSecrets } from "../hidden-secrets.ts";
import { platforms } from "../platforms.ts";
import { warnOfVisibleSecrets } from "../visible-secrets.ts";
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
  /** Where its instances come from: a package and its version, an image, a command line, or endpoints. */
  public readonly source: pulumi.Output<string>;
  /** How a gateway reaches it, in JSON; its `MCPGateway` reads this. */
  public readonly configuration: pulumi.Output<string>;
  /** Where the platform's own network reaches its instances; empty where the gateway itself runs them. */
  public readonly internalEndpoint: pulumi.Output<string>;
  /** What Prometheus scrapes; empty where the gateway counts for it. */
  public readonly metricsTarget: pulumi.Output<string>;

  constructor(name: string, args: MCPServerFleetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-fleet:index:MCPServerFleet", name, hiddenSecrets(args), opts);
    const settings = resolveFleet(name, args);
    warnOfVisibleSecrets(settings.component, args, this);
    const deployed = platforms[settings.platform].fleet(this, name, settings);
    this.serverName = deployed.serverName;
    this.path = pulumi.interpolate`/mcp/${deployed.serverName}`;
    this.source = deployed.source;
    this.configuration = deployed.configuration;
    this.internalEndpoint = deployed.internalEndpoint;
    this.metricsTarget = deployed.metricsTarget;
    this.registerOutputs({
      serverName: this.serverName,
      path: this.path,
      source: this.source,
      configuration: this.configuration,
      internalEndpoint: this.internalEndpoint,
      metricsTarget: this.metricsTarget,
    });
  }
}
