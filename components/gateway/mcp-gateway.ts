import * as pulumi from "@pulumi/pulumi";
import { hiddenSecrets } from "../hidden-secrets.ts";
import { platforms } from "../platforms.ts";
import type { MCPGatewayArgs } from "./args.ts";
import { resolveGateway } from "./resolve.ts";

/** The gateway: one URL for all servers of its fleets. */
export class MCPGateway extends pulumi.ComponentResource {
  /** What MCP clients are given: `http://127.0.0.1:8080/mcp`. */
  public readonly endpoint: pulumi.Output<string>;
  /** Base of every path of the gateway, as seen from where it runs. */
  public readonly internalEndpoint: pulumi.Output<string>;
  /** What Prometheus scrapes. */
  public readonly metricsTarget: pulumi.Output<string>;
  /** `running`, or `stopped` when a refresh found it dead; on Kubernetes `degraded` when only pods of an earlier version serve. */
  public readonly status: pulumi.Output<string>;

  constructor(name: string, args: MCPGatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-fleet:index:MCPGateway", name, hiddenSecrets(args), opts);
    const settings = resolveGateway(name, args);
    const deployed = platforms[settings.platform].gateway(this, name, settings);
    this.endpoint = pulumi.interpolate`${deployed.url}/mcp`;
    this.internalEndpoint = deployed.internalUrl;
    this.metricsTarget = pulumi.interpolate`${deployed.internalUrl}/metrics`;
    this.status = deployed.status;
    this.registerOutputs({
      endpoint: this.endpoint,
      internalEndpoint: this.internalEndpoint,
      metricsTarget: this.metricsTarget,
      status: this.status,
    });
  }
}
