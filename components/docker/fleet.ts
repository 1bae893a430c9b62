import * as pulumi from "@pulumi/pulumi";
import { isExternal } from "../fleet/external.ts";
import { externalFleet } from "../fleet/external-fleet.ts";
import { checkFleet, reachedServer } from "../fleet/hosted-server.ts";
import { hiddenSecrets } from "../hidden-secrets.ts";
import { InputError } from "../input-error.ts";
import type { PlatformComponents } from "../platforms.ts";
import { dockerDefaults as defaults } from "./defaults.ts";
import { firstEndpoint, fleetDiscovery, fleetSecretNames, fleetWorkloads, visibleSecrets } from "./fleet-workload.ts";
import { instanceAlias } from "./names.ts";
import { dockerSdk, imageId, network, stackNames } from "./objects.ts";
import { fleetProblems } from "./rules.ts";
import { runContainer } from "./run-container.ts";

/** A fleet as containers on a network of their own; one that something else runs has no objects at all. */
export const fleet: PlatformComponents["fleet"] = (parent, name, settings) => {
  const { component, args, tags } = settings;
  const problems = fleetProblems(args);
  if (problems.length > 0) throw new InputError(component, problems);
  if (isExternal(args)) return externalFleet(settings);
  checkFleet(settings, fleetSecretNames(settings));
  const visible = visibleSecrets(settings);
  if (visible !== undefined) void pulumi.log.warn(`${component}: ${visible}`, parent);
  const sdk = dockerSdk(component);
  const names = stackNames();
  const of = { name, tags, role: "fleet" } as const;
  const networks = [network(sdk, parent, "network", of, { name: names.fleetNetwork(name), internal: true })];
  if (args.docker?.egress === true) {
    networks.push(network(sdk, parent, "egress", of, { name: names.egressNetwork(name), internal: false }));
  }
  const { image = "" } = args.container ?? {};
  const running = imageId(sdk, parent, component, name, image, args.docker?.build);
  const containers = fleetWorkloads({ ...settings, args: hiddenSecrets(args) }, names).map((workload, index) =>
    runContainer(sdk, parent, `${name}-container-${index + 1}`, { ...workload, image: running }, networks),
  );
  const ready = pulumi.all(containers.map(({ id }) => id));
  const hosted = args.container?.port === undefined;
  return {
    serverName: ready.apply(() => name),
    source: pulumi.output(image),
    configuration: pulumi.jsonStringify({
      ...reachedServer(settings),
      discovery: fleetDiscovery(settings),
      protocol: "http",
    }),
    internalEndpoint: firstEndpoint(settings),
    metricsTarget: pulumi.output(hosted ? `http://${instanceAlias(name, 1)}:${defaults.hostPort}/metrics` : ""),
  };
};
