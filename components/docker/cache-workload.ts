import { defaults as shared } from "../defaults.ts";
import type { GatewaySettings } from "../gateway/resolve.ts";
import { dockerDefaults as defaults } from "./defaults.ts";
import { cacheAlias, type DockerNames, limitsAlias } from "./names.ts";
import type { DockerWorkload } from "./workload.ts";

/** The secret of a gateway that is the password of both Redis containers. */
export const redisSecret = "redis-password";
const secretFile = `${shared.secretsFolder}/${redisSecret}`;

/** `gateway.shared` of a gateway that has these containers. */
export const sharedSettings = (gateway: string) => ({
  redis: `redis://${limitsAlias(gateway)}:${defaults.cachePort}`,
  cacheRedis: `redis://${cacheAlias(gateway)}:${defaults.cachePort}`,
  password: `file:${secretFile}`,
});

/** Redis for the counts of limits. When it is full it refuses new ones, and the gateway counts alone: it never forgets one. */
export const limitsWorkload = (settings: GatewaySettings, names: DockerNames): DockerWorkload =>
  redisWorkload(settings, names, limitsAlias(settings.name), {
    maxMemoryMiB: defaults.limitsMaxMemoryMiB,
    memoryMiB: defaults.limitsMemoryMiB,
    policy: "noeviction",
  });

/** Redis for kept answers. When it is full it forgets what was used least recently. */
export const cacheWorkload = (settings: GatewaySettings, names: DockerNames): DockerWorkload =>
  redisWorkload(settings, names, cacheAlias(settings.name), {
    maxMemoryMiB: defaults.cacheMaxMemoryMiB,
    memoryMiB: defaults.cacheMemoryMiB,
    policy: "allkeys-lru",
  });

interface RedisBounds {
  readonly maxMemoryMiB: number;
  readonly memoryMiB: number;
  readonly policy: string;
}

/** A Redis that writes nothing to a disk and asks for a password. Only the gateway is on its network. */
function redisWorkload(
  { name, tags, args }: GatewaySettings,
  names: DockerNames,
  alias: string,
  { maxMemoryMiB, memoryMiB, policy }: RedisBounds,
): DockerWorkload {
  const { docker: block = {}, secrets = {} } = args;
  const { logMaxMiB, logMaxFiles, runtime } = block;
  const content = secrets[redisSecret];
  const hostFile = block.secretFiles?.[redisSecret];
  return {
    role: "cache",
    name: alias,
    tags,
    block: { logMaxMiB, logMaxFiles, runtime },
    ours: false,
    image: block.sharedCacheImage ?? defaults.cacheImage,
    user: defaults.user,
    // Without the image's own entry point, which would take over folders as root.
    entrypoint: ["sh", "-c"],
    command: [redisCommand(secretFile, maxMemoryMiB, policy)],
    env: {},
    uploads: content === undefined ? [] : [{ path: secretFile, content }],
    hostFiles: hostFile === undefined ? {} : { [secretFile]: hostFile },
    state: undefined,
    networks: [{ name: names.cacheNetwork(name), aliases: [alias] }],
    published: undefined,
    cpuMillicores: defaults.cacheCpuMillicores,
    memoryMiB,
    drainMs: 0,
  };
}

/** Starts Redis with the password from a file. It reads it on its standard input, so that it stands in no list of processes. */
export function redisCommand(
  file: string,
  maxMemoryMiB: number,
  policy: string,
  port: number = defaults.cachePort,
): string {
  const options = [
    `--port ${port} --bind '*' --protected-mode yes --dir /tmp --save '' --appendonly no`,
    `--maxmemory ${maxMemoryMiB}mb --maxmemory-policy ${policy}`,
  ];
  return `exec redis-server - ${options.join(" ")} <<END\nrequirepass "$(cat ${file})"\nEND\n`;
}
