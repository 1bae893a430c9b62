import type { GatewaySettings } from "../gateway/resolve.ts";
import { dockerDefaults as defaults } from "./defaults.ts";
import { cacheAlias, type DockerNames } from "./names.ts";
import type { DockerWorkload } from "./workload.ts";

/** Where a gateway finds its shared cache. */
export const cacheUrl = (gateway: string): string => `redis://${cacheAlias(gateway)}:${defaults.cachePort}`;

/**
 * Redis for what the workers of a gateway share. It writes nothing to a disk, and forgets what is nearest to its end when it is full:
 * counts and kept answers all have one. Only the gateway is on its network.
 */
export function cacheWorkload({ name, tags, args }: GatewaySettings, names: DockerNames): DockerWorkload {
  const { docker: block = {} } = args;
  const { logMaxMiB, logMaxFiles, runtime } = block;
  return {
    ...{ role: "cache", name: cacheAlias(name), tags, block: { logMaxMiB, logMaxFiles, runtime }, ours: false },
    image: block.sharedCacheImage ?? defaults.cacheImage,
    user: defaults.user,
    // Without the image's own, which would take over folders as root.
    entrypoint: ["redis-server"],
    command: [
      ...["--port", String(defaults.cachePort), "--bind", "*", "--protected-mode", "no", "--dir", "/tmp"],
      ...["--save", "", "--appendonly", "no"],
      ...["--maxmemory", `${defaults.cacheMaxMemoryMiB}mb`, "--maxmemory-policy", "volatile-ttl"],
    ],
    env: {},
    uploads: [],
    hostFiles: {},
    state: undefined,
    networks: [{ name: names.cacheNetwork(name), aliases: [cacheAlias(name)] }],
    published: undefined,
    cpuMillicores: defaults.cacheCpuMillicores,
    memoryMiB: defaults.cacheMemoryMiB,
    drainMs: 0,
  };
}
