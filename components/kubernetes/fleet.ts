import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { isExternal } from "../fleet/external.ts";
import { externalFleet } from "../fleet/external-fleet.ts";
import { checkFleet, reachedServer } from "../fleet/hosted-server.ts";
import type { FleetSettings } from "../fleet/resolve.ts";
import { InputError } from "../input-error.ts";
import type { PlatformComponents } from "../platforms.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import { fleetWorkload } from "./fleet-workload.ts";
import { metadataOf } from "./metadata.ts";
import { addressOf, autoscalerObject, kubernetesSdk, namespaceOf, workloadObjects } from "./objects.ts";
import { fleetProblems } from "./rules.ts";
import { scaledObjectSpec } from "./scaled-object.ts";
import { secretNames } from "./secrets.ts";

/** A fleet as a Deployment with all that belongs to it; one that something else runs has no objects at all. */
export const fleet: PlatformComponents["fleet"] = (parent, name, settings) => {
  const { component, args } = settings;
  const problems = fleetProblems(args);
  if (problems.length > 0) throw new InputError(component, problems);
  if (isExternal(args)) return externalFleet(settings);
  checkFleet(settings, secretNames(args.kubernetes, args.container?.secretEnv));
  const { container, kubernetes, scaling } = args;
  const sdk = kubernetesSdk(component);
  const workload = fleetWorkload(settings);
  const { service } = workloadObjects(sdk, parent, name, workload, {
    block: kubernetes,
    secrets: container?.secretEnv,
  });
  const bounds = {
    minInstances: scaling?.minInstances ?? defaults.fleetMinInstances,
    maxInstances: scaling?.maxInstances ?? defaults.fleetMaxInstances,
    targetCpuPercent: scaling?.targetCpuPercent ?? defaults.targetCpuPercent,
    targetMemoryPercent: scaling?.targetMemoryPercent,
    scaleDownAfterSeconds: kubernetes?.scaleDownAfterSeconds ?? defaults.scaleDownAfterSeconds,
  };
  if (kubernetes?.autoscaler === "keda" && kubernetes.keda !== undefined) {
    const targetInFlight = scaling?.targetInFlight ?? defaults.targetInFlight;
    const space = kubernetes.namespace ?? namespaceOf(service);
    const spec = scaledObjectSpec(workload, space, name, bounds, targetInFlight, kubernetes.keda);
    const kind = { apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject", metadata: metadataOf(workload) };
    new sdk.apiextensions.CustomResource(`${name}-autoscaler`, { ...kind, spec }, childOf(parent)());
  } else if (kubernetes?.autoscaler !== "none") {
    autoscalerObject(sdk, parent, name, workload, bounds);
  }
  const hosted = container?.port === undefined;
  const base = addressOf(service, workload.port);
  return {
    serverName: service.id.apply(() => name),
    source: pulumi.output(workload.image),
    configuration: pulumi.jsonStringify(found(settings, service.metadata.name)),
    internalEndpoint: pulumi.interpolate`${base}${hosted ? defaults.path : (container.path ?? defaults.path)}`,
    metricsTarget: hosted ? pulumi.interpolate`${base}/metrics` : pulumi.output(""),
  };
};

/** What a gateway's configuration file says of this fleet: it watches the Service's pods, and talks to each. */
function found(settings: FleetSettings, service: pulumi.Input<string>): object {
  const { port, path } = settings.args.container ?? {};
  const { healthCheck } = settings.common;
  return {
    ...reachedServer(settings),
    protocol: "http",
    discovery: { kubernetes: { service, port: "http", ...(path === undefined ? {} : { path }) } },
    // A server host says by HTTP how it is, for less than a call of its server.
    ...(port === undefined ? { healthCheck: { path: "/health", ...(healthCheck as object | undefined) } } : {}),
  };
}
