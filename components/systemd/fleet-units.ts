import { defaults as shared } from "../defaults.ts";
import { hostedServer } from "../fleet/hosted-server.ts";
import type { FleetSettings } from "../fleet/resolve.ts";
import { systemdDefaults as defaults } from "./defaults.ts";
import { bounds, hardening, lifecycle, patience } from "./hardening.ts";
import { folderOf, loopbackAddress, ownCredentials } from "./names.ts";
import { commandLine, type Lines, literal, quoted, unitText, variable } from "./unit-text.ts";

/** Credential with which the gateway calls a fleet's server hosts. */
export const fleetToken = `${ownCredentials}token`;
/** File with a server's secret environment, where it serves HTTP itself and reads no files. */
export const environmentFile = "environment";

/** What the units of a fleet are made of, everything known. */
export interface FleetWorkload {
  readonly unit: string;
  readonly name: string;
  readonly program: readonly string[];
  /** The server as the server host is told it; undefined where the command serves HTTP itself. */
  readonly server: object | undefined;
  readonly command: string | undefined;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Names of secrets in the component's folder. */
  readonly secrets: readonly string[];
  readonly secretFiles: Readonly<Record<string, string>>;
  readonly egress: boolean;
  readonly cpuMillicores: number;
  readonly memoryMiB: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** How many instances a fleet has. */
export function instancesOf({ args }: FleetSettings): number {
  return (args.scaling?.minInstances as number | undefined) ?? defaults.fleetInstances;
}

/** Names of a fleet's secrets, wherever their values come from. */
export function fleetSecretNames({ args }: FleetSettings): string[] {
  return Object.keys(args.systemd?.secretFiles ?? args.container?.secretEnv ?? {});
}

/** A fleet's arguments as its units need them; may hold outputs. */
export function fleetWorkload(settings: FleetSettings, unit: string, program: readonly string[]) {
  const { name, tags, common, args } = settings;
  const { container = {}, systemd: block = {} } = args;
  const hosted = container.port === undefined;
  return {
    ...{ unit, name, program: [...program], tags },
    server: hosted ? hostedServer(common, container, fleetSecretNames(settings)) : undefined,
    command: container.command,
    args: container.args ?? [],
    env: hosted ? {} : (container.env ?? {}),
    secrets: Object.keys(container.secretEnv ?? {}),
    secretFiles: block.secretFiles ?? {},
    egress: block.egress ?? false,
    cpuMillicores: container.cpuMillicores ?? defaults.cpuMillicores,
    memoryMiB: container.memoryMiB ?? defaults.memoryMiB,
  };
}

/** Addresses at which a fleet's instances listen, in the order of their numbers. */
export function fleetAddresses(settings: FleetSettings, unit: string): { host: string; ports: number[] } {
  const { port } = settings.args.container ?? {};
  const first = port ?? defaults.hostPort;
  const ports = Array.from({ length: instancesOf(settings) }, (_, index) => first + index);
  return { host: port === undefined ? loopbackAddress(unit) : defaults.host, ports };
}

/** The service of the instance at this port: the template's name with the port for an instance name. */
export const instanceUnit = (unit: string, port: number): string => `${unit}@${port}.service`;

/**
 * The template of a fleet's services, which is the same for every fleet but for its description, and the drop-in with what the stack
 * says of this one: an update changes the drop-in, and drop-ins of administrators stay and win when their names come after it.
 */
export function fleetUnits(workload: FleetWorkload): Record<string, string> {
  const { unit, name } = workload;
  const template = unitText({
    Unit: [["Description", `MCP server ${name}, instance at port %i`], ...patience],
    Service: [...hardening, ...lifecycle],
    Install: [["WantedBy", "multi-user.target"]],
  });
  return { [`${unit}@.service`]: template, [`${unit}@.service.d/50-stack.conf`]: dropIn(workload) };
}

function dropIn(workload: FleetWorkload): string {
  const { cpuMillicores, memoryMiB, egress, tags } = workload;
  return unitText({
    Service: [
      ...(workload.server === undefined ? ownServer(workload) : hostService(workload, workload.server)),
      ...bounds(cpuMillicores, memoryMiB, defaults.drainMs),
      // Nothing but this machine, unless it may.
      ...(egress
        ? []
        : ([
            ["IPAddressDeny", "any"],
            ["IPAddressAllow", "localhost"],
          ] as const)),
    ],
    "X-Tags": tagLines(tags),
  });
}

/** The server host, which tells the service manager when the server behind it is ready. */
function hostService({ unit, name, program, secrets, secretFiles }: FleetWorkload, server: object): Lines {
  const host = loopbackAddress(unit);
  const command = commandLine([...program, "host", "--host", host, "--name", name]);
  const token = `${shared.secretsFolder}/${fleetToken}`;
  return [
    ["Type", "notify"],
    ["NotifyAccess", "all"],
    ["ExecStart", `${command} --port %i --token-file ${token}`],
    variable("MCP_SERVER", JSON.stringify(server)),
    variable("MCP_FLEET_CACHE", defaults.packageCache),
    ...credentials(unit, [fleetToken, ...secrets], secretFiles),
  ];
}

/** A server that listens itself, at the port that it is told. */
function ownServer({ unit, command, args, env, secrets }: FleetWorkload): Lines {
  return [
    ["Type", "exec"],
    ["ExecStart", commandLine([command as string, ...args])],
    ["Environment", quoted("PORT=%i")],
    ...Object.entries(env).map(([key, value]) => variable(key, value)),
    ...(secrets.length === 0 ? [] : ([["EnvironmentFile", `${folderOf(unit)}/${environmentFile}`]] as const)),
  ];
}

/** Files that root reads for a service, seen by it at the place where secrets are on every platform. */
export function credentials(unit: string, names: readonly string[], files: Readonly<Record<string, string>>): Lines {
  const own = names.map((name) => [name, `${folderOf(unit)}/${name}`] as const);
  const all = [...own, ...Object.entries(files)];
  if (all.length === 0) return [];
  return [
    ...all.map(([name, path]) => ["LoadCredential", `${name}:${literal(path)}`] as const),
    ["BindReadOnlyPaths", `%d:${shared.secretsFolder}`],
  ];
}

/** The user's labels, in a section that systemd leaves alone. */
export const tagLines = (tags: Readonly<Record<string, string>>): Lines =>
  Object.entries(tags).map(([key, value]) => [key, literal(value)] as const);
