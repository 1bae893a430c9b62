/** Every default of the `kubernetes` platform; a default is a contract. */
export const kubernetesDefaults = Object.freeze({
  // A tag may already lie on the node, and a registry that is away must not stop a restart.
  imagePullPolicy: "IfNotPresent",
  // One process of Node.js with a few warm servers beside it, at rest.
  fleetCpuMillicores: 250,
  fleetMemoryMiB: 512,
  // The gateway does no work of its own but moving bytes.
  gatewayCpuMillicores: 500,
  gatewayMemoryMiB: 512,
  // Two, so that one can go away; a fleet of one has an outage in each eviction.
  fleetMinInstances: 2,
  fleetMaxInstances: 10,
  gatewayMinInstances: 2,
  gatewayMaxInstances: 6,
  // Leaves room for what arrives while a pod starts.
  targetCpuPercent: 70,
  // Calls in flight on one pod (KEDA), as in the configuration's own default.
  targetInFlight: 16,
  // Load that comes in waves must not take pods away between them.
  scaleDownAfterSeconds: 300,
  hostPort: 3001,
  gatewayPort: 8080,
  path: "/mcp",
  // The cluster takes a moment to stop sending calls to a pod that ends: SIGTERM comes only after it.
  preStopSeconds: 5,
  // Time for an orderly end even where calls are short. The configuration's own default.
  drainMs: 10_000,
  /** Clients keep an idle connection for so long. */
  lingerMs: 5000,
  // What is left of the grace period when the drain is over.
  graceMarginSeconds: 5,
  // As long as a cluster autoscaler waits for the pods of a node that it takes away.
  longestGraceSeconds: 600,
  // As long as the startup probe lets a process start, and an image of some size is pulled before.
  rolloutSeconds: 300,
  // No user or group of a node has this id.
  userId: 65_532,
  temporaryMiB: 256,
  egressPort: 443,
  // Where clusters of most kinds have their name servers, and NodeLocal DNSCache its address.
  dnsNamespace: "kube-system",
  dnsPodLabels: Object.freeze({ "k8s-app": "kube-dns" }),
  dnsCidr: "169.254.20.10/32",
  dnsPort: 53,
  // Of most clusters: at the Service, and at the API server itself, where some network plugins look.
  apiPorts: Object.freeze([443, 6443]),
  kedaPollingSeconds: 15,
  kedaCooldownSeconds: 300,
  externalRefresh: "1h",
  externalStoreKind: "SecretStore",
});
