import type * as pulumi from "@pulumi/pulumi";
import { type ConfigFile, issueText } from "../../runtime/config/schema/index.ts";
import { defaults as shared } from "../defaults.ts";
import { configIssues } from "../gateway/config-issues.ts";
import type { GatewaySettings } from "../gateway/resolve.ts";
import { InputError } from "../input-error.ts";
import { sharedSettings } from "./cache-workload.ts";
import { dockerDefaults as defaults } from "./defaults.ts";
import { type DockerNames, fleetAlias, frontAlias } from "./names.ts";
import type { AttachedNetwork, DockerWorkload } from "./workload.ts";

/** Where a gateway finds its configuration. */
export const configPath = "/etc/mcp-fleet/mcp-fleet.json";
const stateFolder = "/var/lib/mcp-fleet";

/** A fleet as its gateway knows it: its name, and the JSON of its configuration. */
export interface KnownFleet {
  readonly serverName: string;
  readonly configuration: string;
}

/**
 * The text of a gateway's configuration file: its own settings, and every fleet as that fleet says it is reached. `front` is the
 * network of the keeper of its port, which says where clients come from; undefined where it has none. Throws InputError.
 */
export function gatewayConfigText(
  { component, name, args }: Pick<GatewaySettings, "component" | "name" | "args">,
  settings: Readonly<Record<string, unknown>>,
  fleets: readonly KnownFleet[],
  front: string | undefined,
): string {
  const { allowedHosts = [], host: _host, port: _port, scaling: _scaling, ...own } = settings;
  const { trustedProxies = [], ...connections } = (own.connections ?? {}) as { trustedProxies?: string[] };
  const published = typeof args.host === "string" ? [args.host] : [];
  const config = {
    gateway: {
      // Another gateway takes new connections meanwhile.
      ...(front === undefined ? {} : { lingerMs: defaults.lingerMs }),
      ...own,
      host: "0.0.0.0",
      port: defaults.gatewayPort,
      allowedHosts: [...(allowedHosts as string[]), name, ...published],
      ...(front === undefined ? {} : { connections: { ...connections, ...spokenBy([...trustedProxies, front]) } }),
      ...(args.docker?.sharedCache === true ? { shared: sharedSettings(name) } : {}),
    },
    servers: Object.fromEntries(fleets.map(({ serverName, configuration }) => [serverName, JSON.parse(configuration)])),
  } as ConfigFile;
  const issues = configIssues(config);
  if (issues.length > 0) throw new InputError(component, issues.map(issueText));
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** The keeper of the port says where clients come from; Prometheus calls the gateway without. */
const spokenBy = (trustedProxies: readonly string[]) => ({
  trustedProxies,
  proxyProtocol: true,
  proxyProtocolOptional: true,
});

/** The networks of the fleets that run on this Docker host, of the shared cache, and that of the gateway's own port. */
export function gatewayNetworks(
  { name, args }: Pick<GatewaySettings, "name" | "args">,
  fleets: readonly KnownFleet[],
  names: DockerNames,
): AttachedNetwork[] {
  const here = fleets.filter(({ serverName, configuration }) => {
    const { discovery } = JSON.parse(configuration) as { discovery?: { dns?: { name?: string } } };
    return discovery?.dns?.name === fleetAlias(serverName);
  });
  return [
    { name: names.gatewayNetwork(name), aliases: [name] },
    ...(hasFront(args) ? [{ name: names.frontNetwork(name), aliases: [frontAlias(name)] }] : []),
    ...(args.docker?.sharedCache === true ? [{ name: names.cacheNetwork(name) }] : []),
    ...here.map(({ serverName }) => ({ name: names.fleetNetwork(serverName) })),
  ];
}

/** Does another container keep the gateway's port? */
export const hasFront = ({ docker }: GatewaySettings["args"]): boolean => docker?.front !== false;

/** Where the gateway is reached on the Docker host. */
export const publishedPort = ({ host, port }: GatewaySettings["args"]): DockerWorkload["published"] => ({
  host: host ?? defaults.host,
  port: port ?? defaults.port,
  inside: defaults.gatewayPort,
});

/** A gateway's container: the image of mcp-fleet with a configuration file, its secrets, and a volume for the key of its sessions. */
export function gatewayWorkload(
  { name, tags, common, args }: GatewaySettings,
  config: pulumi.Input<string>,
  networks: pulumi.Input<AttachedNetwork[]>,
  volume: pulumi.Input<string>,
): DockerWorkload {
  const { container, docker: block = {}, secrets = {} } = args;
  const secretPath = (secret: string) => `${shared.secretsFolder}/${secret}`;
  return {
    ...{ role: "gateway", name, tags, block, networks, ours: true },
    image: container?.image as pulumi.Input<string>,
    user: defaults.user,
    entrypoint: undefined,
    command: undefined,
    env: { MCP_FLEET_CONFIG: configPath, MCP_FLEET_STATE_FOLDER: stateFolder, TMPDIR: "/tmp" },
    uploads: [
      { path: configPath, content: config },
      ...Object.entries(secrets).map(([secret, content]) => ({ path: secretPath(secret), content })),
    ],
    hostFiles: Object.fromEntries(
      Object.entries(block.secretFiles ?? {}).map(([secret, file]) => [secretPath(secret), file]),
    ),
    state: { volume, path: stateFolder },
    published: hasFront(args) ? undefined : publishedPort(args),
    cpuMillicores: container?.cpuMillicores ?? defaults.cpuMillicores,
    memoryMiB: container?.memoryMiB ?? defaults.memoryMiB,
    drainMs: (common.drainMs as pulumi.Input<number> | undefined) ?? defaults.drainMs,
  };
}
