import { defaults as shared } from "../defaults.ts";
import { isExternal } from "../fleet/external.ts";
import { reachedServer } from "../fleet/hosted-server.ts";
import type { FleetSettings } from "../fleet/resolve.ts";
import type { GatewaySettings } from "../gateway/resolve.ts";
import { InputError } from "../input-error.ts";
import { withoutUndefined } from "../without-undefined.ts";
import { cacheWorkload, limitsWorkload } from "./cache-workload.ts";
import { containerSpec } from "./container-spec.ts";
import { fleetDiscovery, fleetWorkloads } from "./fleet-workload.ts";
import { configPath, gatewayConfigText, gatewayNetworks, gatewayWorkload } from "./gateway-workload.ts";
import { cacheAlias, type DockerNames, dockerNames, instanceAlias, limitsAlias } from "./names.ts";
import { fleetProblems, gatewayProblems } from "./rules.ts";
import type { AttachedNetwork, DockerWorkload } from "./workload.ts";

/** A container as one service of the file. */
export interface NamedWorkload {
  readonly key: string;
  readonly workload: DockerWorkload;
}

/** A stack as Docker Compose has it: the file, and configurations that lie beside it. */
export interface ComposeExport {
  readonly compose: { readonly services: Readonly<Record<string, object>>; readonly [key: string]: unknown };
  /** Configurations by their path beside it. */
  readonly files: Readonly<Record<string, string>>;
  /** Files beside it that the user writes: one per secret. */
  readonly secretFiles: readonly string[];
}

/** The gateway's configuration beside the Compose file. */
const gatewayConfigFile = "mcp-fleet.json";

/**
 * The same containers, networks and volume that the components of the `docker` platform declare, made by the same
 * builders. Every argument is known; `watchers` are what watches the gateway. Throws InputError.
 */
export function composeExport(
  scope: string,
  given: GatewaySettings,
  fleets: readonly FleetSettings[],
  watchers: readonly NamedWorkload[],
): ComposeExport {
  // Compose ends a service before it starts the next one, so that nothing would be won by keeping its port.
  const gateway = { ...given, args: { ...given.args, docker: { ...given.args.docker, front: false } } };
  for (const { component, args } of fleets) refuse(component, fleetProblems(args));
  const names = dockerNames(scope);
  const known = fleets.map((settings) => ({
    serverName: settings.name,
    configuration: JSON.stringify({
      ...reachedServer(settings),
      ...(isExternal(settings.args)
        ? withoutUndefined({ endpoints: settings.args.endpoints })
        : { discovery: fleetDiscovery(settings), protocol: "http" }),
    }),
  }));
  refuse(gateway.component, gatewayProblems({ ...gateway.args, fleets: known }));
  const here = fleets.filter(({ args }) => !isExternal(args));
  const volume = `${gateway.name}-state`;
  const networks = gatewayNetworks(gateway, known, names);
  const front = gatewayWorkload(gateway, "", networks, volume);
  const workloads = here.flatMap((settings) =>
    fleetWorkloads(settings, names).map((workload, index) => ({
      workload,
      key: instanceAlias(settings.name, index + 1),
    })),
  );
  if (gateway.args.docker?.sharedCache === true) {
    workloads.push({ workload: cacheWorkload(gateway, names), key: cacheAlias(gateway.name) });
    workloads.push({ workload: limitsWorkload(gateway, names), key: limitsAlias(gateway.name) });
  }
  const services = [...workloads, ...watchers].map(({ workload, key }) => [key, service(workload, key)] as const);
  const healthy = workloads.map(({ workload, key }) => [
    key,
    { condition: workload.ours ? "service_healthy" : "service_started" },
  ]);
  const gatewayConfig = gatewayConfigText(gateway, gateway.common, known, undefined);
  const all = [...workloads, ...watchers, { key: gateway.name, workload: front }];
  const uploads = all.flatMap(({ key, workload }) =>
    workload.uploads.map(({ path, content }) => ({ file: besideFile(workload, key, path), path, content })),
  );
  const [secrets, configs] = [uploads.filter(isSecret), uploads.filter((upload) => !isSecret(upload))];
  return {
    compose: {
      name: scope,
      services: Object.fromEntries([
        ...services,
        [gateway.name, { ...service(front, gateway.name), depends_on: Object.fromEntries(healthy) }],
      ]),
      networks: networksOf(gateway, here, names, watchers),
      volumes: Object.fromEntries(all.flatMap(({ workload: { state } }) => (state ? [[state.volume, {}]] : []))),
    },
    files: {
      ...Object.fromEntries(configs.map(({ file, content }) => [file, content as string])),
      [gatewayConfigFile]: gatewayConfig,
    },
    secretFiles: [...new Set(secrets.map(({ file }) => file))],
  };
}

function refuse(component: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new InputError(component, problems);
}

/** Compose would put variables of its own in place of a dollar sign. */
const literal = (text: unknown): string => String(text).replaceAll("$", "$$$$");
const isSecret = ({ path }: { readonly path: string }): boolean => path.startsWith(`${shared.secretsFolder}/`);

/** Where a file of a container lies beside the Compose file. Secrets of fleets and gateway have one name for all. */
function besideFile({ role }: DockerWorkload, key: string, path: string): string {
  const name = path.split("/").at(-1) as string;
  if (path === configPath) return gatewayConfigFile;
  if (role !== "monitoring") return `secrets/${name}`;
  return isSecret({ path }) ? `secrets/${key}-${name}` : `${key}/${name}`;
}

/** One container as a service. */
function service(workload: DockerWorkload, key: string): object {
  const { env, networks, published, state, hostFiles, uploads } = workload;
  const spec = containerSpec(workload);
  const bind = (source: string, target: string) => `${source}:${target}:ro`;
  const volumes = [
    ...uploads.map(({ path }) => bind(`./${besideFile(workload, key, path)}`, path)),
    ...Object.entries(hostFiles).map(([path, file]) => bind(String(file), path)),
    ...(state === undefined ? [] : [`${state.volume}:${state.path}`]),
  ];
  return {
    image: spec.image,
    ...(spec.entrypoints === undefined ? {} : { entrypoint: (spec.entrypoints as string[]).map(literal) }),
    ...(spec.command === undefined ? {} : { command: (spec.command as string[]).map(literal) }),
    environment: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, literal(value)])),
    user: spec.user,
    read_only: spec.readOnly,
    cap_drop: (spec.capabilities as { drops: string[] }).drops,
    security_opt: spec.securityOpts,
    init: spec.init,
    tmpfs: Object.entries(spec.tmpfs as Record<string, string>).map(([path, options]) => `${path}:${options}`),
    ...(volumes.length === 0 ? {} : { volumes }),
    networks: Object.fromEntries(
      (networks as AttachedNetwork[]).map(({ name, aliases }) => [name, aliases === undefined ? {} : { aliases }]),
    ),
    ...(published === undefined ? {} : { ports: [`${published.host}:${published.port}:${published.inside}`] }),
    cpus: (workload.cpuMillicores as number) / 1000,
    mem_limit: `${spec.memory}m`,
    memswap_limit: `${spec.memorySwap}m`,
    restart: spec.restart,
    stop_grace_period: `${spec.stopTimeout}s`,
    ...(spec.runtime === undefined ? {} : { runtime: spec.runtime }),
    logging: { driver: spec.logDriver, options: spec.logOpts },
    labels: Object.fromEntries(
      (spec.labels as { label: string; value: string }[]).map(({ label, value }) => [label, literal(value)]),
    ),
  };
}

function networksOf(
  gateway: GatewaySettings,
  fleets: readonly FleetSettings[],
  names: DockerNames,
  watchers: readonly NamedWorkload[],
): object {
  const network = (name: string, internal: boolean) => [name, { name, driver: "bridge", internal }] as const;
  return Object.fromEntries([
    network(names.gatewayNetwork(gateway.name), false),
    ...(gateway.args.docker?.sharedCache === true ? [network(names.cacheNetwork(gateway.name), true)] : []),
    ...fleets.flatMap(({ name, args }) => [
      network(names.fleetNetwork(name), true),
      ...(args.docker?.egress === true ? [network(names.egressNetwork(name), false)] : []),
    ]),
    // They meet on one of their own; whatever else they are on is there already.
    ...[...new Set(watchers.map(({ workload }) => names.monitoringNetwork(workload.name)))].map((name) =>
      network(name, false),
    ),
  ]);
}
