import type * as pulumi from "@pulumi/pulumi";
import { type ConfigFile, issueText } from "../../runtime/config/schema/index.ts";
import { defaults as shared } from "../defaults.ts";
import { configIssues } from "../gateway/config-issues.ts";
import type { GatewaySettings } from "../gateway/resolve.ts";
import { InputError } from "../input-error.ts";
import { sharedSettings } from "./cache-workload.ts";
import { dockerDefaults as defaults } from "./defaults.ts";
import type { DockerNames } from "./names.ts";
import type { AttachedNetwork, DockerWorkload } from "./workload.ts";

/** Where a gateway finds its configuration. */
export const configPath = "/etc/mcp-fleet/mcp-fleet.json";
const stateFolder = "/var/lib/mcp-fleet";

/** A fleet as its gateway knows it: its name, and the JSON of its configuration. */
export interface KnownFleet {
  readonly serverName: string;
  readonly configuration: string;
}

/** The text of a gateway's configuration file: its own settings, and every fleet as that fleet says it is reached. Throws InputError. */
export function gatewayConfigText(
  { component, name, args }: Pick<GatewaySettings, "component" | "name" | "args">,
  settings: Readonly<Record<string, unknown>>,
  fleets: readonly KnownFleet[],
): string {
  const { allowedHosts = [], host: _host, port: _port, scaling: _scaling, ...own } = settings;
  const published = typeof args.host === "string" ? [args.host] : [];
  const config = {
    gateway: {
      ...own,
      host: "0.0.0.0",
      port: defaults.gatewayPort,
      allowedHosts: [...(allowedHosts as string[]), name, ...published],
      ...(args.docker?.sharedCache === true ? { shared: sharedSettings(name) } : {}),
    },
    servers: Object.fromEntries(fleets.map(({ serverName, configuration }) => [serverName, JSON.parse(configuration)])),
  } as ConfigFile;
  const issues = configIssues(config);
  if (issues.length > 0) throw new InputError(component, issues.map(issueText));
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** The networks of the fleets that run on this Docker host, of the shared cache, and that of the gateway's own port. */
export function gatewayNetworks(
  { name, args }: Pick<GatewaySettings, "name" | "args">,
  fleets: readonly KnownFleet[],
  names: DockerNames,
): AttachedNetwork[] {
  const here = fleets.filter(({ serverName, configuration }) => {
    const { endpoints = [] } = JSON.parse(configuration) as { endpoints?: string[] };
    return endpoints.some((endpoint) => endpoint.startsWith(`http://${serverName}-1:`));
  });
  return [
    { name: names.gatewayNetwork(name), aliases: [name] },
    ...(args.docker?.sharedCache === true ? [{ name: names.cacheNetwork(name) }] : []),
    ...here.map(({ serverName }) => ({ name: names.fleetNetwork(serverName) })),
  ];
}

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
    published: {
      host: args.host ?? defaults.host,
      port: args.port ?? defaults.port,
      inside: defaults.gatewayPort,
    },
    cpuMillicores: container?.cpuMillicores ?? defaults.cpuMillicores,
    memoryMiB: container?.memoryMiB ?? defaults.memoryMiB,
    drainMs: (common.drainMs as pulumi.Input<number> | undefined) ?? defaults.drainMs,
  };
}
