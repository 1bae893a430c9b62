import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { unknownFleets } from "../gateway/reference-rules.ts";
import { checkedGateway, type GatewaySettings } from "../gateway/resolve.ts";
import { hiddenSecrets } from "../hidden-secrets.ts";
import { InputError } from "../input-error.ts";
import type { PlatformComponents } from "../platforms.ts";
import { cacheWorkload, limitsWorkload } from "./cache-workload.ts";
import { labelsOf } from "./container-spec.ts";
import { dockerDefaults as defaults } from "./defaults.ts";
import { frontWorkload } from "./front-workload.ts";
import { gatewayConfigText, gatewayNetworks, gatewayWorkload, hasFront, type KnownFleet } from "./gateway-workload.ts";
import type { DockerNames } from "./names.ts";
import { type DockerSdk, dockerSdk, imageId, network, stackNames } from "./objects.ts";
import { gatewayProblems } from "./rules.ts";
import { runContainer } from "./run-container.ts";

/** A gateway as one container that is on the networks of its fleets; its port is published on the Docker host. */
export const gateway: PlatformComponents["gateway"] = (parent, name, settings) => {
  const { component, common, args, tags } = settings;
  const problems = [...gatewayProblems(args), ...unknownFleets(args.fleets)];
  if (problems.length > 0) throw new InputError(component, problems);
  checkedGateway(component, common);
  const sdk = dockerSdk(component);
  const names = stackNames();
  const child = childOf(parent);
  const of = { name, tags, role: "gateway" } as const;
  const edge = network(sdk, parent, "network", of, { name: names.gatewayNetwork(name), internal: false });
  // Another label would be another volume, without what this one keeps.
  const kept = { ignoreChanges: ["labels"] };
  const volume = new sdk.Volume(`${name}-state`, { labels: labelsOf(of) }, child(kept));
  const fleets = pulumi.output(args.fleets.map(({ serverName, configuration }) => ({ serverName, configuration })));
  const meeting = hasFront(args)
    ? network(sdk, parent, "front-network", of, { name: names.frontNetwork(name), internal: true })
    : undefined;
  const subnet = meeting?.ipamConfigs.apply((configs) => configs?.[0]?.subnet);
  const config = pulumi
    .all([pulumi.output(common), fleets, subnet])
    .apply(([known, found, front]) => gatewayConfigText(settings, known, found as KnownFleet[], front));
  const networks = fleets.apply((found) => gatewayNetworks(settings, found as KnownFleet[], names));
  const hidden = { ...settings, args: hiddenSecrets(args) };
  const cache = args.docker?.sharedCache === true ? redisContainers(sdk, parent, hidden, names) : [];
  const workload = gatewayWorkload(hidden, config, networks, volume.name);
  const image = imageId(sdk, parent, component, name, args.container?.image ?? "", args.docker?.build);
  const needs = [edge, ...(meeting === undefined ? [] : [meeting]), ...cache];
  const container = runContainer(sdk, parent, `${name}-container`, { ...workload, image }, needs);
  const { host = defaults.host, port = defaults.port } = args;
  const up = meeting === undefined ? container.id : keptPort(sdk, parent, settings, names, image, container);
  const scheme = args.tls === undefined ? "http" : "https";
  return {
    url: up.apply(() => pulumi.interpolate`${scheme}://${host}:${port}`),
    internalUrl: up.apply(() => `${scheme}://${name}:${defaults.gatewayPort}`),
    // A container that has ended is taken out of the state by a refresh, and made again by the next update.
    status: up.apply(() => "running"),
  };
};

/** The container that keeps the port. It stays as it is when the image changes: to replace it is an outage of a second. */
function keptPort(
  sdk: DockerSdk,
  parent: pulumi.ComponentResource,
  settings: GatewaySettings,
  names: DockerNames,
  image: pulumi.Output<string>,
  gateway: pulumi.Resource,
): pulumi.Output<string> {
  const workload = frontWorkload(settings, image, names);
  return runContainer(sdk, parent, `${settings.name}-front`, workload, gateway, { ignoreChanges: ["image"] }).id;
}

/** What a gateway's workers share, and the network on which only the gateway meets it. */
function redisContainers(
  sdk: DockerSdk,
  parent: pulumi.ComponentResource,
  settings: GatewaySettings,
  names: DockerNames,
): pulumi.Resource[] {
  const { name, component } = settings;
  const cache = cacheWorkload(settings, names);
  const meeting = network(sdk, parent, "network", cache, { name: names.cacheNetwork(name), internal: true });
  const image = imageId(sdk, parent, component, cache.name, cache.image, undefined);
  const containers = [cache, limitsWorkload(settings, names)].map((workload) =>
    runContainer(sdk, parent, `${workload.name}-container`, { ...workload, image }, meeting),
  );
  return [meeting, ...containers];
}
