import type * as pulumi from "@pulumi/pulumi";
import * as onAws from "./aws/index.ts";
import * as onDocker from "./docker/index.ts";
import type { FleetSettings } from "./fleet/resolve.ts";
import type { GatewaySettings } from "./gateway/resolve.ts";
import * as onKubernetes from "./kubernetes/index.ts";
import type { Platform } from "./platform.ts";
import * as onProcesses from "./process/index.ts";
import * as onSystemd from "./systemd/index.ts";

/** A fleet as its platform has deployed it. */
export interface FleetDeployment {
  /** The server's name at its gateway, known once the fleet can be called. */
  readonly serverName: pulumi.Output<string>;
  /** Where its instances come from: a package and its version, an image, a command line, or endpoints. */
  readonly source: pulumi.Output<string>;
  /** The fleet as a gateway's configuration file says it, in JSON: how its instances are reached. */
  readonly configuration: pulumi.Output<string>;
  /** Where the platform's own network reaches its instances; empty where the gateway itself runs them. */
  readonly internalEndpoint: pulumi.Output<string>;
  /** What Prometheus scrapes; empty where the gateway counts for it. */
  readonly metricsTarget: pulumi.Output<string>;
}

/** A gateway as its platform has deployed it. */
export interface GatewayDeployment {
  /** Base of the paths that clients use: `https://mcp.example.com`. */
  readonly url: pulumi.Output<string>;
  /** The same as seen from where the gateway runs. */
  readonly internalUrl: pulumi.Output<string>;
  /** `running`, `stopped` or, on Kubernetes, `degraded`, as of the last update or refresh. */
  readonly status: pulumi.Output<string>;
}

/** What each platform's folder exports. Both throw InputError before they make anything. */
export interface PlatformComponents {
  /** Deploys a fleet as children of `parent`. */
  fleet(parent: pulumi.ComponentResource, name: string, settings: FleetSettings): FleetDeployment;
  /** Deploys a gateway as children of `parent`. */
  gateway(parent: pulumi.ComponentResource, name: string, settings: GatewaySettings): GatewayDeployment;
}

/** Every platform. Its folder is small; the provider's SDK is loaded by `provider-sdk.ts` when a component first needs it. */
export const platforms: Readonly<Record<Platform, PlatformComponents>> = {
  process: onProcesses,
  systemd: onSystemd,
  docker: onDocker,
  kubernetes: onKubernetes,
  aws: onAws,
};
