import type { types } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { hostedServer } from "../fleet/hosted-server.ts";
import type { FleetSettings } from "../fleet/resolve.ts";
import { holdsOutputs } from "../holds-outputs.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import { fleetDrainMs } from "./grace.ts";
import { secretNames, secretsDigest } from "./secrets.ts";
import { withUnit } from "./units.ts";
import { ownVolumes, secretVolume, type Workload, wishesOf } from "./workload.ts";

type EnvVar = types.input.core.v1.EnvVar;

/** Name of a fleet's objects. The prefix keeps it apart from gateways, and makes a DNS name of one that begins with a digit. */
export const fleetObjectName = (name: string): string => `mcp-${name}`;

/** A fleet's pods: a server on its standard streams under the server host, or an image that speaks HTTP itself. */
export function fleetWorkload(settings: FleetSettings): Workload {
  const { name, tags, common, args } = settings;
  const { container = {}, kubernetes = {}, scaling } = args;
  const objectName = kubernetes.objectName ?? fleetObjectName(name);
  const secretName = kubernetes.existingSecret?.name ?? objectName;
  const secrets = secretNames(kubernetes, container.secretEnv);
  const hosted = container.port === undefined;
  const port = container.port ?? defaults.hostPort;
  const http = (path: string) => ({ httpGet: { path, port: "http" } });
  const probe = container.healthPath === undefined ? { tcpSocket: { port: "http" } } : http(container.healthPath);
  const drainMs = fleetDrainMs(settings);
  const files = secretVolume(hosted && secrets.length > 0 ? secretName : undefined);
  const own = ownVolumes(kubernetes);
  const owned = kubernetes.autoscaler === "none";
  return {
    name: objectName,
    ...wishesOf(kubernetes),
    role: "fleet",
    tags,
    image: container.image as pulumi.Input<string>,
    command: hosted || container.command === undefined ? undefined : [container.command],
    args: hosted ? undefined : container.args,
    env: hosted
      ? hostEnv(name, hostedServer(common, container, secrets), drainMs)
      : serverEnv(container, secretName, secrets),
    port,
    scheme: "http",
    liveness: hosted ? http("/health") : probe,
    readiness: hosted ? http("/ready") : probe,
    volumes: [...files.volumes, ...own.volumes],
    mounts: [...files.mounts, ...own.mounts],
    podAnnotations: {
      ...kubernetes.podAnnotations,
      ...(container.secretEnv === undefined ? {} : { "mcp-fleet/secrets": secretsDigest(container.secretEnv) }),
    },
    cpuMillicores: container.cpuMillicores ?? defaults.fleetCpuMillicores,
    memoryMiB: container.memoryMiB ?? defaults.fleetMemoryMiB,
    replicas: owned ? (scaling?.minInstances ?? defaults.fleetMinInstances) : undefined,
    drainMs,
    network: kubernetes.network ?? {},
  };
}

/** The server host's environment. Only the gateway's pods reach it, by the fleet's network policy. */
function hostEnv(name: string, server: object, drainMs: pulumi.Input<number>): EnvVar[] {
  return [
    { name: "MCP_SERVER_NAME", value: name },
    { name: "MCP_SERVER", value: holdsOutputs(server) ? pulumi.jsonStringify(server) : JSON.stringify(server) },
    { name: "MCP_FLEET_HOST", value: "0.0.0.0" },
    { name: "MCP_FLEET_PORT", value: String(defaults.hostPort) },
    { name: "MCP_FLEET_ALLOW_ANONYMOUS", value: "true" },
    { name: "MCP_FLEET_DRAIN_MS", value: withUnit(drainMs) },
  ];
}

/** The environment of an image that is a server of its own. */
function serverEnv(
  { env = {} }: NonNullable<FleetSettings["args"]["container"]>,
  secretName: pulumi.Input<string>,
  secrets: readonly string[],
): EnvVar[] {
  return [
    ...Object.entries(env).map(([name, value]) => ({ name, value })),
    ...secrets.map((name) => ({ name, valueFrom: { secretKeyRef: { name: secretName, key: name } } })),
  ];
}
