import type * as pulumi from "@pulumi/pulumi";

/** How the image of mcp-fleet is made, where no registry has it. */
export interface DockerBuildArgs {
  /** Folder with a checkout of mcp-fleet. */
  context: pulumi.Input<string>;
  /** Base image with Node.js 24 and glibc. Defaults to the Dockerfile's. */
  base?: pulumi.Input<string>;
  /** Presets whose packages are in the image, with blanks between them. Defaults to the Dockerfile's. */
  presets?: pulumi.Input<string>;
}

/** What containers of fleets and gateways have in common. */
export interface DockerContainerArgs {
  /** Builds the image on this machine and tags it `container.image`. Defaults to none: the image is there, or is pulled. Plain, because it decides which resources exist. */
  build?: DockerBuildArgs;
  /** Files of the Docker host that hold secrets, by the secret's name, in place of secrets given here. An image that serves HTTP itself finds each one's path in `NAME_FILE`. Defaults to none. */
  secretFiles?: Record<string, pulumi.Input<string>>;
  /** Container runtime, such as one of a sandbox. Defaults to the engine's. */
  runtime?: pulumi.Input<string>;
  /** Size in MiB at which a container's log rotates. Defaults to 10. */
  logMaxMiB?: pulumi.Input<number>;
  /** Rotated logs kept. Defaults to 5. */
  logMaxFiles?: pulumi.Input<number>;
}

/** The `docker` platform's own block of a fleet. */
export interface FleetDockerArgs extends DockerContainerArgs {
  /** May the server reach anything but its gateway, such as the internet? Defaults to false. Plain, because it decides which networks exist. */
  egress?: boolean;
}

/** The `docker` platform's own block of a gateway. */
export interface GatewayDockerArgs extends DockerContainerArgs {
  /** Has a container of its own keep the gateway's port, so that a changed gateway serves before the old one goes. It costs a hop; without it each change of the gateway, such as another fleet, is an outage of seconds. Defaults to true. Plain, because it decides which resources exist. */
  front?: boolean;
  /** Keeps two Redis containers for what the gateway's workers share, one for the counts of limits and one for kept answers; their password is the secret `redis-password`. Defaults to false. Plain, because it decides which resources exist. */
  sharedCache?: boolean;
  /** Their image. Defaults to `redis:8.2-alpine`. */
  sharedCacheImage?: pulumi.Input<string>;
}
