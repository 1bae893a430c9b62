import * as pulumi from "@pulumi/pulumi";
import { defaults as shared } from "../defaults.ts";
import { dockerDefaults } from "../docker/defaults.ts";
import type { AttachedNetwork, DockerWorkload } from "../docker/workload.ts";
import { alertmanagerConfig } from "./alertmanager.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import { fileText } from "./file-text.ts";
import { grafanaFiles, grafanaFolder } from "./grafana.ts";
import { prometheusConfig, ruleFile } from "./prometheus.ts";
import type { MonitoringSettings } from "./resolve.ts";
import { routing } from "./routing.ts";
import { jobScope } from "./scope.ts";

/** The programs that watch, by the name at which the others find each of them. */
export const Watcher = { Prometheus: "prometheus", Alertmanager: "alertmanager", Grafana: "grafana" } as const;
export type Watcher = (typeof Watcher)[keyof typeof Watcher];

/** What is there only when it has been made. */
export interface WatcherPlace {
  /** Name of the network on which they meet. */
  readonly network: pulumi.Input<string>;
  /** Name of the network on which the gateway answers. */
  readonly gatewayNetwork: pulumi.Input<string>;
  /** Volume for what the program keeps. */
  readonly volume: pulumi.Input<string>;
}

/** What one of them is, besides what the user says of it. */
interface Program {
  readonly image: string;
  /** Its usual port, in the container and, unless the user says otherwise, on the host. */
  readonly port: number;
  readonly memoryMiB: number;
  /** The user for whom its public image has prepared the folder of its state. */
  readonly user: string;
  readonly folder: string;
}

const nobody = "65534:65534";
const programs: Readonly<Record<Watcher, Program>> = {
  prometheus: {
    ...{ image: defaults.prometheusImage, port: defaults.prometheusPort, user: nobody, folder: "/prometheus" },
    memoryMiB: dockerDefaults.memoryMiB,
  },
  alertmanager: {
    ...{ image: defaults.alertmanagerImage, port: defaults.alertmanagerPort, user: nobody, folder: "/alertmanager" },
    memoryMiB: defaults.alertmanagerMemoryMiB,
  },
  grafana: {
    ...{ image: defaults.grafanaImage, port: defaults.grafanaPort, user: "472:0", folder: "/var/lib/grafana" },
    memoryMiB: dockerDefaults.memoryMiB,
  },
};
const folder = "/etc/mcp-fleet";
const tokenPath = `${shared.secretsFolder}/token`;
const passwordPath = `${shared.secretsFolder}/admin`;
const at = (watcher: Watcher): string => `${watcher}:${programs[watcher].port}`;

/** The image of one of them. */
export function watcherImage(watcher: Watcher, { args }: MonitoringSettings): pulumi.Input<string> {
  return args.docker?.[watcher]?.image ?? programs[watcher].image;
}

/** Where one of them answers on the Docker host. */
export function watcherUrl(watcher: Watcher, { args }: MonitoringSettings): pulumi.Output<string> {
  const { host = dockerDefaults.host, [watcher]: own } = args.docker ?? {};
  return pulumi.interpolate`http://${host}:${own?.port ?? programs[watcher].port}`;
}

/** Prometheus: scrapes the gateway, evaluates the rules, tells Alertmanager. */
export function prometheusWorkload(settings: MonitoringSettings, place: WatcherPlace): DockerWorkload {
  const { job, rules, recordings, runbookUrl, args } = settings;
  const { token, tokenFile, retentionDays = defaults.retentionDays } = args.docker ?? {};
  const rulesPath = `${folder}/rules.yml`;
  const config = pulumi.output(args.gateway.metricsTarget).apply((target) =>
    fileText(
      prometheusConfig({
        ...{ job, target, scrapeSeconds: defaults.scrapeSeconds, rulesPath },
        ...{ tokenFile: tokenPath, alertmanager: at(Watcher.Alertmanager) },
      }),
    ),
  );
  return {
    ...watcherWorkload(Watcher.Prometheus, settings, place),
    command: [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${programs.prometheus.folder}`,
      pulumi.interpolate`--storage.tsdb.retention.time=${retentionDays}d`,
      pulumi.interpolate`--web.external-url=${watcherUrl(Watcher.Prometheus, settings)}`,
    ],
    uploads: [
      { path: `${folder}/prometheus.yml`, content: config },
      { path: rulesPath, content: fileText(ruleFile(recordings, rules, runbookUrl, jobScope(job))) },
      ...(token === undefined ? [] : [{ path: tokenPath, content: pulumi.secret(token) }]),
    ],
    hostFiles: tokenFile === undefined ? {} : { [tokenPath]: tokenFile },
    networks: [...meeting(Watcher.Prometheus, place), { name: place.gatewayNetwork }],
  };
}

/** Alertmanager: tells those who are to hear of an alert. It is alone, and looks for no other of its kind. */
export function alertmanagerWorkload(settings: MonitoringSettings, place: WatcherPlace): DockerWorkload {
  const { notifications, senders } = settings.args;
  const config = pulumi.output(alertmanagerConfig(routing({ rules: settings.rules, notifications, senders })));
  return {
    ...watcherWorkload(Watcher.Alertmanager, settings, place),
    command: [
      `--config.file=${folder}/alertmanager.yml`,
      `--storage.path=${programs.alertmanager.folder}`,
      "--cluster.listen-address=",
      pulumi.interpolate`--web.external-url=${watcherUrl(Watcher.Alertmanager, settings)}`,
    ],
    // It holds addresses and tokens of receivers.
    uploads: [{ path: `${folder}/alertmanager.yml`, content: pulumi.secret(config.apply((known) => fileText(known))) }],
  };
}

/** Grafana: shows the dashboard to whoever knows the password. */
export function grafanaWorkload(settings: MonitoringSettings, place: WatcherPlace): DockerWorkload {
  const files = Object.entries(grafanaFiles(settings.name, settings.job, `http://${at(Watcher.Prometheus)}`));
  const password = settings.args.docker?.grafana?.adminPassword ?? "";
  return {
    ...watcherWorkload(Watcher.Grafana, settings, place),
    env: {
      GF_PATHS_PROVISIONING: grafanaFolder,
      GF_SECURITY_ADMIN_PASSWORD__FILE: passwordPath,
      GF_SERVER_ROOT_URL: watcherUrl(Watcher.Grafana, settings),
      // It asks nobody on the internet.
      ...{ GF_ANALYTICS_REPORTING_ENABLED: "false", GF_ANALYTICS_CHECK_FOR_UPDATES: "false" },
      GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
    },
    uploads: [
      ...files.map(([path, content]) => ({ path, content })),
      { path: passwordPath, content: pulumi.secret(password) },
    ],
  };
}

const meeting = (watcher: Watcher, { network }: WatcherPlace): AttachedNetwork[] => [
  { name: network, aliases: [watcher] },
];

/** What they have in common. */
function watcherWorkload(watcher: Watcher, settings: MonitoringSettings, place: WatcherPlace): DockerWorkload {
  const { name, args } = settings;
  const { host = dockerDefaults.host, [watcher]: own = {}, ...block } = args.docker ?? {};
  const { user, folder: path, port, memoryMiB } = programs[watcher];
  return {
    ...{ role: "monitoring", name, tags: args.tags ?? {}, user, ours: false },
    image: watcherImage(watcher, settings),
    ...{ entrypoint: undefined, command: undefined, env: {}, uploads: [], hostFiles: {} },
    state: { volume: place.volume, path },
    networks: meeting(watcher, place),
    published: { host, port: own.port ?? port, inside: port },
    cpuMillicores: own.cpuMillicores ?? dockerDefaults.cpuMillicores,
    memoryMiB: own.memoryMiB ?? memoryMiB,
    drainMs: dockerDefaults.drainMs,
    block: {
      ...(block.runtime === undefined ? {} : { runtime: block.runtime }),
      ...(block.logMaxMiB === undefined ? {} : { logMaxMiB: block.logMaxMiB }),
      ...(block.logMaxFiles === undefined ? {} : { logMaxFiles: block.logMaxFiles }),
    },
  };
}
