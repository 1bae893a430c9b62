import * as pulumi from "@pulumi/pulumi";
import { defaults as shared } from "../defaults.ts";
import { hostedServer } from "../fleet/hosted-server.ts";
import type { FleetSettings } from "../fleet/resolve.ts";
import { holdsOutputs } from "../holds-outputs.ts";
import { dockerDefaults as defaults } from "./defaults.ts";
import { type DockerNames, fleetAlias, instanceAlias } from "./names.ts";
import type { DockerWorkload } from "./workload.ts";

/** How many containers a fleet is. */
export function instancesOf({ args }: FleetSettings): number {
  return (args.scaling?.minInstances as number | undefined) ?? defaults.fleetInstances;
}

/** Names of a fleet's secrets, wherever their values come from. */
export function fleetSecretNames({ args }: FleetSettings): string[] {
  return Object.keys(args.docker?.secretFiles ?? args.container?.secretEnv ?? {});
}

/** Each container of a fleet: a server on its standard streams under the server host, or an image that speaks HTTP itself. */
export function fleetWorkloads(settings: FleetSettings, names: DockerNames): DockerWorkload[] {
  const { name, tags, common, args } = settings;
  const { container = {}, docker: block = {} } = args;
  const hosted = container.port === undefined;
  const secrets = fleetSecretNames(settings);
  const secretPath = (secret: string) => `${shared.secretsFolder}/${secret}`;
  const given = Object.entries(container.secretEnv ?? {});
  return Array.from({ length: instancesOf(settings) }, (_, index) => {
    const alias = instanceAlias(name, index + 1);
    return {
      ...{ role: "fleet", name, tags, block, ours: hosted },
      image: container.image as pulumi.Input<string>,
      user: defaults.user,
      entrypoint: hosted || container.command === undefined ? undefined : [container.command],
      command: hosted ? undefined : container.args,
      env: hosted
        ? hostEnvironment(name, alias, hostedServer(common, container, secrets))
        : { ...container.env, ...container.secretEnv, ...fileVariables(block.secretFiles, secretPath) },
      uploads: hosted ? given.map(([secret, content]) => ({ path: secretPath(secret), content })) : [],
      hostFiles: Object.fromEntries(
        Object.entries(block.secretFiles ?? {}).map(([secret, file]) => [secretPath(secret), file]),
      ),
      state: undefined,
      networks: [
        { name: names.fleetNetwork(name), aliases: [alias, fleetAlias(name)] },
        ...(block.egress === true ? [{ name: names.egressNetwork(name) }] : []),
      ],
      published: undefined,
      cpuMillicores: container.cpuMillicores ?? defaults.cpuMillicores,
      memoryMiB: container.memoryMiB ?? defaults.memoryMiB,
      drainMs: defaults.drainMs,
    };
  });
}

/** Variables that tell an image where its secrets are, as official images read them: `NAME_FILE`, the path of the file with NAME. */
function fileVariables(
  files: Readonly<Record<string, unknown>> = {},
  pathOf: (secret: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.keys(files).map((secret) => [`${secret}_FILE`, pathOf(secret)]));
}

/**
 * Secrets of an image that serves HTTP itself are part of its container's environment: who can use the Docker socket sees
 * them with `docker inspect`, and no image can be made to read files instead. Undefined where nothing of this kind is given.
 */
export function visibleSecrets({ args: { container } }: FleetSettings): string | undefined {
  const names = Object.keys(container?.secretEnv ?? {});
  if (container?.port === undefined || names.length === 0) return undefined;
  const fix = "if the image reads NAME_FILE, give files of the host as docker.secretFiles instead";
  return `container.secretEnv (${names.join(", ")}) is shown by \`docker inspect\`, because the image serves HTTP itself; ${fix}`;
}

/**
 * How the gateway finds a fleet's containers: each address of their common name is an instance. While one takes over from
 * another both are there, and a session stays with the one that knows it; one name for the two would mix them up.
 */
export function fleetDiscovery(settings: FleetSettings): Discovery {
  return { dns: { name: fleetAlias(settings.name), ...served(settings), refreshMs: defaults.lookMs } };
}

interface Discovery {
  readonly dns: Readonly<Record<"name" | "port" | "path" | "refreshMs", pulumi.Input<string> | pulumi.Input<number>>>;
}

/** Where a fleet's first container is reached. */
export function firstEndpoint(settings: FleetSettings): pulumi.Output<string> {
  const { port, path } = served(settings);
  return pulumi.interpolate`http://${instanceAlias(settings.name, 1)}:${port}${path}`;
}

/** Where each container serves MCP: the server host at its own port and path, an image that serves HTTP itself at its own. */
function served({ args: { container = {} } }: FleetSettings) {
  const { port, path = defaults.path } = container;
  return port === undefined ? { port: defaults.hostPort, path: defaults.path } : { port, path };
}

/** The server host's environment. Nothing but the gateway is on its network, and calls it by its alias. */
function hostEnvironment(name: string, alias: string, server: object): Record<string, pulumi.Input<string>> {
  return {
    MCP_SERVER_NAME: name,
    MCP_SERVER: holdsOutputs(server) ? pulumi.jsonStringify(server) : JSON.stringify(server),
    MCP_FLEET_PORT: String(defaults.hostPort),
    MCP_FLEET_ALLOWED_HOSTS: alias,
    MCP_FLEET_ALLOW_ANONYMOUS: "true",
    TMPDIR: "/tmp",
  };
}
