import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { GatewaySettings } from "../gateway/resolve.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";
import { secretNames, secretsDigest } from "./secrets.ts";
import { ownVolumes, secretVolume, type Workload, wishesOf } from "./workload.ts";

type Volume = types.input.core.v1.Volume;

const configFolder = "/etc/mcp-fleet";
/** The key of the gateway's ConfigMap. */
export const configFile = "mcp-fleet.json";
const tokenFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The token with which a gateway asks the cluster's API where its fleets are: short-lived, and only where it is used. */
const apiToken: Volume = {
  name: "api-token",
  projected: {
    defaultMode: 0o440,
    sources: [
      { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
    ],
  },
};

/** A gateway's pods: the image of mcp-fleet with the configuration of the ConfigMap `configName`. */
export function gatewayWorkload(
  { name: component, tags, common, args }: GatewaySettings,
  configName: pulumi.Input<string>,
): Workload {
  const { container, kubernetes = {}, secrets } = args;
  const name = kubernetes.objectName ?? component;
  const own = ownVolumes(kubernetes);
  const secretName = kubernetes.existingSecret?.name ?? name;
  const { volumes, mounts } = secretVolume(secretNames(kubernetes, secrets).length > 0 ? secretName : undefined);
  const tls = args.tls !== undefined;
  const http = (path: string) => ({ httpGet: { path, port: "http", ...(tls ? { scheme: "HTTPS" } : {}) } });
  return {
    name,
    ...wishesOf(kubernetes),
    role: "gateway",
    tags,
    image: container?.image as pulumi.Input<string>,
    command: undefined,
    args: undefined,
    env: [
      { name: "MCP_FLEET_CONFIG", value: `${configFolder}/${configFile}` },
      { name: "MCP_FLEET_STATE_FOLDER", value: "/tmp/state" },
    ],
    port: defaults.gatewayPort,
    scheme: tls ? "https" : "http",
    liveness: http("/health"),
    readiness: http("/ready"),
    volumes: [{ name: "config", configMap: { name: configName } }, apiToken, ...volumes, ...own.volumes],
    mounts: [
      { name: "config", mountPath: configFolder, readOnly: true },
      { name: "api-token", mountPath: tokenFolder, readOnly: true },
      ...mounts,
      ...own.mounts,
    ],
    podAnnotations: {
      ...kubernetes.podAnnotations,
      ...(secrets === undefined ? {} : { "mcp-fleet/secrets": secretsDigest(secrets) }),
    },
    cpuMillicores: container?.cpuMillicores ?? defaults.gatewayCpuMillicores,
    memoryMiB: container?.memoryMiB ?? defaults.gatewayMemoryMiB,
    replicas: undefined,
    drainMs: (common.drainMs as pulumi.Input<number> | undefined) ?? defaults.drainMs,
    network: kubernetes.network ?? {},
  };
}
