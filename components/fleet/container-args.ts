import type * as pulumi from "@pulumi/pulumi";

/**
 * What runs in a fleet's containers, on the platforms that run containers, or as its services on `systemd`, which has no images. Without `port` the command is a server on
 * its standard streams, run under the server host; with `port` the image is a Streamable HTTP server of its own.
 */
export interface FleetContainerArgs {
  /** Image. Defaults to the image of `mcp-fleet`, which holds the server host. */
  image?: pulumi.Input<string>;
  /** Executable: of a `custom` server on its standard streams, or, with `port`, in place of the image's entry point. */
  command?: pulumi.Input<string>;
  /** Its arguments. Defaults to none. */
  args?: pulumi.Input<pulumi.Input<string>[]>;
  /** Environment that is no secret. Defaults to none. */
  env?: Record<string, pulumi.Input<string>>;
  /** Environment that is secret: kept where the platform keeps secrets, and encrypted in the state. On `docker` an image with `port` has it in its container's environment, which `docker inspect` shows; use `docker.secretFiles` there. Defaults to none. Plain names, because they decide which resources exist. */
  secretEnv?: Record<string, pulumi.Input<string>>;
  /** Port of an image that serves Streamable HTTP itself; on `systemd` that of the first instance, which like each next one is told its own in `PORT`. Defaults to none. Plain, because it decides how the server is run. */
  port?: number;
  /** Path of that server's MCP endpoint. Defaults to `/mcp`. */
  path?: pulumi.Input<string>;
  /** Path that answers 200 when that server can serve. Defaults to none: whether its port is open is looked at. Plain, because it decides which kind of check is made. */
  healthPath?: string;
  /** Processes of a server on its standard streams in one instance. Defaults to 4. */
  maxProcesses?: pulumi.Input<number>;
  /** Processor share of one instance in thousandths of a core. Each platform has its own default. */
  cpuMillicores?: pulumi.Input<number>;
  /** Memory of one instance in MiB: reserved, and its limit. Each platform has its own default. */
  memoryMiB?: pulumi.Input<number>;
}
