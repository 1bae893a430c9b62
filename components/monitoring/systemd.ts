import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { systemdDefaults } from "../systemd/defaults.ts";
import { folderOf, unitName } from "../systemd/names.ts";
import { SystemdUnits } from "../systemd/systemd-units.ts";
import { alertmanagerConfig } from "./alertmanager.ts";
import type { MonitoringServiceArgs } from "./args.ts";
import { dashboard } from "./dashboard.ts";
import { monitoringDefaults as defaults } from "./defaults.ts";
import { fileText } from "./file-text.ts";
import type { Monitoring } from "./platforms.ts";
import { prometheusConfig, ruleFile } from "./prometheus.ts";
import type { MonitoringSettings } from "./resolve.ts";
import { routing } from "./routing.ts";
import { jobScope } from "./scope.ts";
import {
  credentialPath,
  listenAddress,
  MonitoringFile,
  type MonitoringWorkload,
  monitoringInstances,
  monitoringUnits,
} from "./systemd-units.ts";

/** Prometheus and Alertmanager as services of this machine; their files, and the dashboard's, in the component's folder in /etc. */
export const monitoringOnSystemd: Monitoring = (parent, settings) => {
  const { name, args } = settings;
  const { unitDirectory = systemdDefaults.unitDirectory, host = systemdDefaults.host } = args.systemd ?? {};
  const unit = unitName(`${pulumi.getProject()}-${pulumi.getStack()}`, "monitoring", name);
  const workload = workloadOf(settings, unit, host);
  const { prometheus, alertmanager } = workload;
  const [alerting, scraping] = monitoringInstances(unit);
  const places = {
    [alerting]: listenAddress(host, alertmanager.port),
    [scraping]: listenAddress(host, prometheus.port),
  };
  const deployed = new SystemdUnits(
    `${name}-units`,
    {
      unitDirectory,
      units: pulumi.output(workload).apply((known) => monitoringUnits(known as MonitoringWorkload)),
      folder: folderOf(unit),
      files: filesOf(settings, listenAddress(host, alertmanager.port)),
      tokens: [],
      instances: [alerting, scraping],
      addresses: places,
      programs: [alertmanager.program, prometheus.program],
      preset: undefined,
      source: prometheus.program,
    },
    childOf(parent)(),
  );
  return {
    folder: deployed.id.apply(() => folderOf(unit)),
    prometheusUrl: deployed.id.apply(() => `http://${places[scraping]}`),
    alertmanagerUrl: deployed.id.apply(() => `http://${places[alerting]}`),
  };
};

/** A stack's arguments as its units need them; may hold outputs. */
function workloadOf({ name, args }: MonitoringSettings, unit: string, host: string) {
  const { token, tokenFile, retentionDays = defaults.retentionDays, prometheus, alertmanager } = args.systemd ?? {};
  const { memoryMiB } = systemdDefaults;
  return {
    ...{ unit, name, host, retentionDays, tokenFile, token: token !== undefined, tags: args.tags ?? {} },
    prometheus: serviceOf(prometheus, defaults.prometheusProgram, defaults.prometheusPort, memoryMiB),
    alertmanager: serviceOf(
      ...([alertmanager, defaults.alertmanagerProgram, defaults.alertmanagerPort] as const),
      defaults.alertmanagerMemoryMiB,
    ),
  };
}

const serviceOf = (
  { cpuMillicores = systemdDefaults.cpuMillicores, ...own }: MonitoringServiceArgs = {},
  program: string,
  port: number,
  memoryMiB: number,
) => ({
  cpuMillicores,
  program: own.program ?? program,
  port: own.port ?? port,
  memoryMiB: own.memoryMiB ?? memoryMiB,
});

/** Files in the component's folder; what is hidden is so in the state too. */
function filesOf(settings: MonitoringSettings, alertmanager: string): Record<string, pulumi.Input<string>> {
  const { name, job, rules, recordings, runbookUrl, args } = settings;
  const { token, tokenFile } = args.systemd ?? {};
  const tokenPath = (token ?? tokenFile) === undefined ? undefined : credentialPath(MonitoringFile.Token);
  const { notifications, senders } = args;
  const prometheus = pulumi.output(args.gateway.metricsTarget).apply((target) =>
    fileText(
      prometheusConfig({
        ...{ job, target, scrapeSeconds: defaults.scrapeSeconds, tokenFile: tokenPath, alertmanager },
        rulesPath: credentialPath(MonitoringFile.Rules),
      }),
    ),
  );
  const routes = pulumi.output(alertmanagerConfig(routing({ rules, notifications, senders })));
  return {
    [MonitoringFile.Prometheus]: prometheus,
    [MonitoringFile.Rules]: fileText(ruleFile(recordings, rules, runbookUrl, jobScope(job))),
    [MonitoringFile.Alertmanager]: pulumi.secret(routes.apply((known) => fileText(known))),
    ...(token === undefined ? {} : { [MonitoringFile.Token]: pulumi.secret(token) }),
    "dashboard.json": fileText(dashboard(`mcp-fleet-${name}`, `MCP fleet: ${name}`, jobScope(job))),
  };
}
