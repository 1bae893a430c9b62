import type * as pulumi from "@pulumi/pulumi";
import type { GatewaySettings } from "../gateway/resolve.ts";
import { dockerDefaults as defaults } from "./defaults.ts";
import { publishedPort } from "./gateway-workload.ts";
import { type DockerNames, frontAlias } from "./names.ts";
import type { DockerWorkload } from "./workload.ts";

/**
 * The container that keeps a gateway's port while the gateway is replaced: two containers cannot publish one port. It tells the
 * gateway where clients come from, and knows nothing else of it.
 */
export function frontWorkload(
  { name, tags, args }: GatewaySettings,
  image: pulumi.Input<string>,
  names: DockerNames,
): DockerWorkload {
  const { logMaxMiB, logMaxFiles, runtime } = args.docker ?? {};
  return {
    role: "front",
    name: `${name}-front`,
    tags,
    block: { logMaxMiB, logMaxFiles, runtime },
    ours: true,
    image,
    user: defaults.user,
    entrypoint: undefined,
    command: undefined,
    env: {
      MCP_FLEET_FORWARD_TO: `${frontAlias(name)}:${defaults.gatewayPort}`,
      MCP_FLEET_PORT: String(defaults.gatewayPort),
      TMPDIR: "/tmp",
    },
    uploads: [],
    hostFiles: {},
    state: undefined,
    networks: [{ name: names.gatewayNetwork(name) }, { name: names.frontNetwork(name) }],
    published: publishedPort(args),
    cpuMillicores: defaults.cpuMillicores,
    memoryMiB: defaults.frontMemoryMiB,
    drainMs: 0,
  };
}
