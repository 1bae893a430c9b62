import Type from "typebox";
import { cidr, closed, fleetParts, gatewayParts, labels, open, port, text, url } from "../block-parts.ts";
import { Autoscaler } from "./args.ts";

const texts = Type.Array(text);
const seconds = Type.Integer({ minimum: 0 });
/** A name that may be part of a DNS name (RFC 1123). */
const label = Type.String({ pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" });

const dns = Type.Object(
  {
    namespace: open(label),
    podLabels: open(labels),
    cidrs: open(Type.Array(cidr)),
    ports: open(Type.Array(port)),
  },
  closed,
);
const networkParts = {
  ingressNamespaces: open(Type.Array(label)),
  ingressCidrs: open(Type.Array(cidr)),
  egressCidrs: open(Type.Array(cidr)),
  egressNamespaces: open(Type.Array(label)),
  egressPorts: open(Type.Array(port)),
  dns: open(dns),
};
const network = Type.Object(networkParts, closed);
const gatewayNetwork = Type.Object({ ...networkParts, apiPorts: open(Type.Array(port)) }, closed);
const externalSecret = Type.Object(
  {
    store: open(text),
    storeKind: open(Type.Enum(["SecretStore", "ClusterSecretStore"])),
    keys: open(labels),
    refreshInterval: open(Type.String({ pattern: "^([0-9]+(ms|s|m|h))+$" })),
  },
  closed,
);
const toleration = Type.Object(
  {
    key: open(text),
    operator: open(Type.Enum(["Equal", "Exists"])),
    value: open(Type.String()),
    effect: open(Type.Enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])),
  },
  closed,
);
const volume = Type.Object(
  {
    name: open(label),
    mountPath: open(Type.String({ pattern: "^/" })),
    configMap: open(text),
    secret: open(text),
    persistentVolumeClaim: open(text),
    emptyDirMiB: open(Type.Integer({ minimum: 1 })),
    readOnly: open(Type.Boolean()),
  },
  closed,
);
const pod = {
  objectName: open(Type.String({ pattern: "^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$" })),
  podAnnotations: open(labels),
  serviceAnnotations: open(labels),
  envConfigMaps: open(texts),
  envSecrets: open(texts),
  volumes: open(Type.Array(volume)),
  userId: open(Type.Integer({ minimum: 1 })),
  namespace: open(label),
  imagePullPolicy: open(Type.Enum(["IfNotPresent", "Always", "Never"])),
  imagePullSecrets: open(texts),
  rolloutSeconds: open(Type.Integer({ minimum: 10, maximum: 3600 })),
  scaleDownAfterSeconds: open(Type.Integer({ minimum: 0, maximum: 3600 })),
  network: open(network),
  existingSecret: open(Type.Object({ name: open(text), keys: open(texts) }, closed)),
  externalSecret: open(externalSecret),
  nodeSelector: open(labels),
  tolerations: open(Type.Array(toleration)),
  priorityClassName: open(text),
  runtimeClassName: open(text),
  serviceAccountAnnotations: open(labels),
};
const keda = Type.Object(
  {
    prometheusAddress: open(url),
    pollingSeconds: open(seconds),
    cooldownSeconds: open(seconds),
  },
  closed,
);
/** More than a node has; a target may be more than a pod asks for. */
const limits = { cpuMillicores: 256_000, memoryMiB: 1_048_576, targetPercent: 1000 };

/** What a fleet's own arguments for containers may say, as far as it is known at once. */
export const fleetBlocks = Type.Object(
  {
    ...fleetParts(limits),
    kubernetes: open(
      Type.Object(
        {
          ...pod,
          autoscaler: open(Type.Enum(Object.values(Autoscaler))),
          keda: open(keda),
          terminationGracePeriodSeconds: open(Type.Integer({ minimum: 10, maximum: 86_400 })),
        },
        closed,
      ),
    ),
  },
  closed,
);

/** The same of a gateway. */
export const gatewayBlocks = Type.Object(
  {
    ...gatewayParts(limits),
    kubernetes: open(
      Type.Object(
        {
          ...pod,
          network: open(gatewayNetwork),
          loadBalancerClass: open(text),
          serviceType: open(Type.Enum(["ClusterIP", "LoadBalancer"])),
          ingress: open(
            Type.Object(
              { host: open(text), className: open(text), tlsSecret: open(text), annotations: open(labels) },
              closed,
            ),
          ),
          httpRoute: open(
            Type.Object(
              { host: open(text), parentName: open(text), parentNamespace: open(label), sectionName: open(text) },
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
  },
  closed,
);
