import * as pulumi from "@pulumi/pulumi";
import type { NamedWorkload } from "../docker/compose.ts";
import { dockerNames } from "../docker/names.ts";
import type { DockerWorkload } from "../docker/workload.ts";
import { alertmanagerWorkload, grafanaWorkload, prometheusWorkload, Watcher } from "./docker-workloads.ts";
import type { MonitoringSettings } from "./resolve.ts";

/** The containers that watch the gateway of this name, every output known: only arguments without resources can be exported. */
export async function exportedWatchers(
  scope: string,
  gateway: string,
  settings: MonitoringSettings,
): Promise<NamedWorkload[]> {
  const names = dockerNames(scope);
  const builders = {
    [Watcher.Prometheus]: prometheusWorkload,
    [Watcher.Alertmanager]: alertmanagerWorkload,
    ...(settings.args.docker?.grafana === undefined ? {} : { [Watcher.Grafana]: grafanaWorkload }),
  };
  const made = Object.entries(builders).map(async ([key, build]) => {
    const volume = `${settings.name}-${key}-state`;
    const gatewayNetwork = settings.args.docker?.network ?? names.gatewayNetwork(gateway);
    const workload = build(settings, { network: names.monitoringNetwork(settings.name), gatewayNetwork, volume });
    return { key, workload: await known(workload) };
  });
  return Promise.all(made);
}

const known = (workload: DockerWorkload): Promise<DockerWorkload> =>
  new Promise((resolve) => pulumi.output(workload).apply((found) => resolve(found as DockerWorkload)));
