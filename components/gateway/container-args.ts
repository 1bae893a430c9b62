import type * as pulumi from "@pulumi/pulumi";

/** What runs in a gateway's containers, on the platforms that run containers. */
export interface GatewayContainerArgs {
  /** Image of `mcp-fleet`, in a registry that the platform can reach; required where there are images, so not on `systemd`. */
  image?: pulumi.Input<string>;
  /** Processor share of one replica in thousandths of a core. Each platform has its own default. */
  cpuMillicores?: pulumi.Input<number>;
  /** Memory of one replica in MiB: reserved, and its limit. Each platform has its own default. */
  memoryMiB?: pulumi.Input<number>;
}

/** How many replicas a gateway keeps. */
export interface GatewayScalingArgs {
  /** Never fewer. Defaults to 2. */
  minInstances?: pulumi.Input<number>;
  /** Never more. Defaults to 6. */
  maxInstances?: pulumi.Input<number>;
  /** Processor use over what is reserved, in percent, above which a replica is added. Defaults to 70. */
  targetCpuPercent?: pulumi.Input<number>;
}
