import Type from "typebox";
import { Autoscaler } from "./args.ts";

const closed = { additionalProperties: false } as const;
const open = Type.Optional;
const text = Type.String({ minLength: 1 });
const texts = Type.Array(text);
const labels = Type.Record(Type.String(), Type.String());
const seconds = Type.Integer({ minimum: 0 });
const port = Type.Integer({ minimum: 1, maximum: 65_535 });
const cidr = Type.String({ pattern: "^[0-9a-fA-F:.]+/[0-9]{1,3}$" });
/** A name that may be part of a DNS name (RFC 1123). */
const label = Type.String({ pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" });

const network = Type.Object(
  {
    ingressNamespaces: open(Type.Array(label)),
    ingressCidrs: open(Type.Array(cidr)),
    egressCidrs: open(Type.Array(cidr)),
    egressPorts: open(Type.Array(port)),
  },
  closed,
);
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
const pod = {
  namespace: open(label),
  imagePullPolicy: open(Type.Enum(["IfNotPresent", "Always", "Never"])),
  imagePullSecrets: open(texts),
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
  { prometheusAddress: open(text), pollingSeconds: open(seconds), cooldownSeconds: open(seconds) },
  closed,
);
const variables = Type.Record(Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$" }), Type.String(), closed);
const cpu = open(Type.Integer({ minimum: 1, maximum: 256_000 }));
const memory = open(Type.Integer({ minimum: 32, maximum: 1_048_576 }));
const percent = Type.Integer({ minimum: 1, maximum: 1000 });
const instances = (minimum: number) => open(Type.Integer({ minimum, maximum: 1000 }));

/** What a fleet's own arguments for containers may say, as far as it is known at once. */
export const fleetBlocks = Type.Object(
  {
    tags: open(labels),
    container: open(
      Type.Object(
        {
          image: open(text),
          command: open(text),
          args: open(Type.Array(Type.String())),
          env: open(variables),
          secretEnv: open(variables),
          port: open(port),
          path: open(Type.String({ pattern: "^/" })),
          healthPath: open(Type.String({ pattern: "^/" })),
          maxProcesses: instances(1),
          cpuMillicores: cpu,
          memoryMiB: memory,
        },
        closed,
      ),
    ),
    scaling: open(
      Type.Object(
        {
          minInstances: instances(0),
          maxInstances: instances(1),
          targetInFlight: open(Type.Integer({ minimum: 1, maximum: 10_000 })),
          targetCpuPercent: open(percent),
          targetMemoryPercent: open(percent),
        },
        closed,
      ),
    ),
    kubernetes: open(
      Type.Object({ ...pod, autoscaler: open(Type.Enum(Object.values(Autoscaler))), keda: open(keda) }, closed),
    ),
  },
  closed,
);

/** The same of a gateway. */
export const gatewayBlocks = Type.Object(
  {
    tags: open(labels),
    container: open(Type.Object({ image: open(text), cpuMillicores: cpu, memoryMiB: memory }, closed)),
    scaling: open(
      Type.Object({ minInstances: instances(1), maxInstances: instances(1), targetCpuPercent: open(percent) }, closed),
    ),
    secrets: open(Type.Record(Type.String({ pattern: "^[-._A-Za-z0-9]+$" }), Type.String(), closed)),
    kubernetes: open(
      Type.Object(
        {
          ...pod,
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
