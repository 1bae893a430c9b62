import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { labelsOf } from "../docker/container-spec.ts";
import { dockerSdk, imageId, network, stackNames } from "../docker/objects.ts";
import { runContainer } from "../docker/run-container.ts";
import type { DockerWorkload } from "../docker/workload.ts";
import {
  alertmanagerWorkload,
  grafanaWorkload,
  prometheusWorkload,
  Watcher,
  type WatcherPlace,
  watcherImage,
  watcherUrl,
} from "./docker-workloads.ts";
import type { Monitoring } from "./platforms.ts";
import type { MonitoringSettings } from "./resolve.ts";

/** Prometheus, Alertmanager and, if wanted, Grafana in containers on a network of their own; the first is on the gateway's too. */
export const monitoringOnDocker: Monitoring = (parent, settings) => {
  const { component, name, args } = settings;
  const { grafana, network: gatewayNetwork } = args.docker ?? {};
  const sdk = dockerSdk(component);
  const names = stackNames();
  const child = childOf(parent);
  const of = { name, tags: args.tags ?? {}, role: "monitoring" } as const;
  const own = network(sdk, parent, "network", of, { name: names.monitoringNetwork(name), internal: false });
  const place = {
    network: own.name,
    gatewayNetwork:
      gatewayNetwork ??
      pulumi.output(args.gateway.metricsTarget).apply((target) => names.gatewayNetwork(new URL(target).hostname)),
  };
  const run = (watcher: Watcher, workload: (settings: MonitoringSettings, place: WatcherPlace) => DockerWorkload) => {
    // Another label would be another volume, without what this one keeps.
    const volume = new sdk.Volume(
      `${name}-${watcher}-state`,
      { labels: labelsOf(of) },
      child({ ignoreChanges: ["labels"] }),
    );
    const image = imageId(sdk, parent, component, `${name}-${watcher}`, watcherImage(watcher, settings), undefined);
    const watched = { ...workload(settings, { ...place, volume: volume.name }), image };
    const container = runContainer(sdk, parent, `${name}-${watcher}`, watched, own);
    return container.id.apply(() => watcherUrl(watcher, settings));
  };
  return {
    prometheusUrl: run(Watcher.Prometheus, prometheusWorkload),
    alertmanagerUrl: run(Watcher.Alertmanager, alertmanagerWorkload),
    ...(grafana === undefined ? {} : { dashboardUrl: run(Watcher.Grafana, grafanaWorkload) }),
  };
};
