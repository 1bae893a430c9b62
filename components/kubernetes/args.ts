import type * as pulumi from "@pulumi/pulumi";

/** What follows the load of a fleet. */
export const Autoscaler = {
  /** HorizontalPodAutoscaler by processor and memory use. */
  Hpa: "hpa",
  /** KEDA's ScaledObject by calls in flight; it can scale to zero. */
  Keda: "keda",
  /** Nothing: `scaling.minInstances` is the number of replicas. */
  None: "none",
} as const;
export type Autoscaler = (typeof Autoscaler)[keyof typeof Autoscaler];

/** A taint that pods bear, as in a pod's `tolerations`. */
export interface KubernetesTolerationArgs {
  /** The taint's key. Defaults to every key. */
  key?: pulumi.Input<string>;
  /** `Equal` or `Exists`. Defaults to `Equal`. */
  operator?: pulumi.Input<string>;
  /** The taint's value. */
  value?: pulumi.Input<string>;
  /** `NoSchedule`, `PreferNoSchedule` or `NoExecute`. Defaults to every effect. */
  effect?: pulumi.Input<string>;
}

/** A Secret that exists. */
export interface KubernetesExistingSecretArgs {
  /** Its name. */
  name: pulumi.Input<string>;
  /** Its keys that are used. */
  keys: string[];
}

/** Secrets that an operator (external-secrets.io) fetches from a store. */
export interface KubernetesExternalSecretArgs {
  /** Name of the SecretStore. */
  store: pulumi.Input<string>;
  /** `SecretStore` or `ClusterSecretStore`. Defaults to `SecretStore`. */
  storeKind?: pulumi.Input<string>;
  /** Secret's name here to its key in the store. */
  keys: Record<string, pulumi.Input<string>>;
  /** How often it is fetched. Defaults to `1h`. */
  refreshInterval?: pulumi.Input<string>;
}

/** How KEDA scales a fleet by its calls in flight. */
export interface KubernetesKedaArgs {
  /** Prometheus that scrapes the gateway: `http://prometheus.monitoring:9090`. */
  prometheusAddress: pulumi.Input<string>;
  /** How often it is asked, in seconds. Defaults to 15. */
  pollingSeconds?: pulumi.Input<number>;
  /** Calm before the last instance ends, in seconds. Defaults to 300. */
  cooldownSeconds?: pulumi.Input<number>;
}

/** Where pods look names up. */
export interface KubernetesDnsArgs {
  /** Namespace of the cluster's name servers: `openshift-dns` on OpenShift. Defaults to `kube-system`. */
  namespace?: pulumi.Input<string>;
  /** Labels of their pods: `dns.operator.openshift.io/daemonset-dns: default` on OpenShift. Defaults to `k8s-app: kube-dns`. */
  podLabels?: Record<string, pulumi.Input<string>>;
  /** Addresses of name servers that are no such pods. Defaults to `169.254.20.10/32`, that of NodeLocal DNSCache. */
  cidrs?: pulumi.Input<string>[];
  /** Their ports, over UDP and TCP: 5353 on OpenShift. Defaults to 53. */
  ports?: pulumi.Input<number>[];
}

/** Who may be reached, and from where, besides the gateway and its fleets, which always reach each other. Everything else is denied. */
export interface KubernetesNetworkArgs {
  /** Namespaces whose pods may call: clients of a gateway, an ingress controller, Prometheus. Defaults to none but the own one for a gateway, and none at all for a fleet. */
  ingressNamespaces?: pulumi.Input<string>[];
  /** Addresses outside the cluster that may call. Defaults to none. Plain, because they decide whether a load balancer may be made. */
  ingressCidrs?: string[];
  /** Addresses that may be called, such as `0.0.0.0/0` for a server that asks the internet. Defaults to none. */
  egressCidrs?: pulumi.Input<string>[];
  /** Namespaces whose pods may be called. Defaults to none. */
  egressNamespaces?: pulumi.Input<string>[];
  /** Ports at those addresses and pods. Defaults to 443. */
  egressPorts?: pulumi.Input<number>[];
  /** Where names are looked up. Defaults to the cluster's own name servers and NodeLocal DNSCache. */
  dns?: KubernetesDnsArgs;
}

/** A folder in the pods. Exactly one of `configMap`, `secret`, `persistentVolumeClaim` and `emptyDirMiB`. */
export interface KubernetesVolumeArgs {
  /** Its name in the pod. */
  name: pulumi.Input<string>;
  /** Where the container has it, absolute. */
  mountPath: pulumi.Input<string>;
  /** A ConfigMap that exists. */
  configMap?: pulumi.Input<string>;
  /** A Secret that exists. */
  secret?: pulumi.Input<string>;
  /** A PersistentVolumeClaim that exists. */
  persistentVolumeClaim?: pulumi.Input<string>;
  /** An empty folder of at most this size, gone with the pod. */
  emptyDirMiB?: pulumi.Input<number>;
  /** Defaults to false for claims and empty folders; the others are never written to. */
  readOnly?: pulumi.Input<boolean>;
}

/** What pods of fleets and gateways have in common. */
export interface KubernetesPodArgs {
  /** Name of the Kubernetes objects, where another stack of the namespace has a component of the same name; a fleet's begins with `mcp-`, a gateway's does not. Defaults to `mcp-<name>` of a fleet, and to the name of a gateway. Plain, because selectors and other objects are made of it. */
  objectName?: string;
  /** Annotations of the pods. Defaults to none. */
  podAnnotations?: Record<string, pulumi.Input<string>>;
  /** Annotations of the Service, such as those that a load balancer reads. Defaults to none. */
  serviceAnnotations?: Record<string, pulumi.Input<string>>;
  /** ConfigMaps of which each key is a variable of the container. A server under the server host gets one by `container.env`, as `${NAME}`. Defaults to none. */
  envConfigMaps?: pulumi.Input<string>[];
  /** Secrets, likewise. Defaults to none. */
  envSecrets?: pulumi.Input<string>[];
  /** Folders in the pods. Defaults to none but `/tmp`. */
  volumes?: KubernetesVolumeArgs[];
  /** User and group that the container runs as, and that volumes belong to; not 0. Defaults to 65532. */
  userId?: pulumi.Input<number>;
  /** Namespace, which exists; a gateway and its fleets share one. Defaults to the provider's. */
  namespace?: pulumi.Input<string>;
  /** `IfNotPresent`, `Always` or `Never`. Defaults to `IfNotPresent`. */
  imagePullPolicy?: pulumi.Input<string>;
  /** Secrets with which images are pulled. Defaults to none. */
  imagePullSecrets?: pulumi.Input<string>[];
  /** How long the pods of a new version have to become ready, in seconds; then the update fails, with the reason, and the earlier version goes on serving. What does not mend itself, such as an image that does not exist, fails after 45. Defaults to 300. */
  rolloutSeconds?: pulumi.Input<number>;
  /** Calm before an autoscaler takes pods away, in seconds. Defaults to 300. */
  scaleDownAfterSeconds?: pulumi.Input<number>;
  /** Who may be reached, and from where. */
  network?: KubernetesNetworkArgs;
  /** A Secret that exists, in place of secrets given here. */
  existingSecret?: KubernetesExistingSecretArgs;
  /** Where an operator fetches the secrets, in place of secrets given here. */
  externalSecret?: KubernetesExternalSecretArgs;
  /** Labels that a node must have. Defaults to none. */
  nodeSelector?: Record<string, pulumi.Input<string>>;
  /** Taints that the pods bear. Defaults to none. */
  tolerations?: KubernetesTolerationArgs[];
  /** Priority class. Defaults to the cluster's. */
  priorityClassName?: pulumi.Input<string>;
  /** Runtime class, such as one of a sandbox. Defaults to the cluster's. */
  runtimeClassName?: pulumi.Input<string>;
  /** Annotations of the service account, such as the cloud role that its pods take. Defaults to none. */
  serviceAccountAnnotations?: Record<string, pulumi.Input<string>>;
}

/** The `kubernetes` platform's own block of a fleet. */
export interface FleetKubernetesArgs extends KubernetesPodArgs {
  /** What follows the load: `hpa`, `keda` or `none`. Defaults to `hpa`. Plain, because it decides which resources exist. */
  autoscaler?: Autoscaler;
  /** Needed for `keda`. */
  keda?: KubernetesKedaArgs;
  /** Seconds from the end of a pod's new calls to its kill: 5 before SIGTERM, the drain of the calls in flight, and 5 to end. Defaults to what one call may take (`timeouts.requestMs`) and these, at least 20 and at most 600. */
  terminationGracePeriodSeconds?: pulumi.Input<number>;
}
