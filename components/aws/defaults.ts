/** Every default of the `aws` platform; a default is a contract. */
export const awsDefaults = Object.freeze({
  // Images of most registries have it.
  architecture: "X86_64",
  // Long enough to look into what happened last month.
  logRetentionDays: 30,
  // A pair that Fargate has; a few processes of Node.js fit.
  fleetCpuMillicores: 500,
  fleetMemoryMiB: 1024,
  // The gateway does no work of its own but moving bytes.
  gatewayCpuMillicores: 500,
  gatewayMemoryMiB: 1024,
  // Two, so that one can go away.
  fleetMinInstances: 2,
  fleetMaxInstances: 10,
  gatewayMinInstances: 2,
  gatewayMaxInstances: 6,
  // Leaves room for what arrives while a task starts.
  targetCpuPercent: 70,
  scaleDownAfterSeconds: 300,
  scaleUpAfterSeconds: 30,
  // Fargate takes half a minute to start a task.
  startSeconds: 60,
  hostPort: 3001,
  gatewayPort: 8080,
  path: "/mcp",
  // No user of an image has this id.
  userId: 65_532,
  // As in the configuration's own default.
  drainMs: 10_000,
  // The load balancer takes a moment to stop sending calls to a task that ends.
  stopMarginSeconds: 20,
  // ECS allows no more.
  longestStopSeconds: 120,
  // Event streams say something every 15 seconds.
  idleTimeoutSeconds: 120,
  // TLS 1.3, and 1.2 with forward secrecy.
  tlsPolicy: "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
  // How long a resolver may keep the addresses of a fleet.
  dnsTtlSeconds: 10,
  // Nothing is called but AWS's services and what servers ask of the internet, all over TLS.
  egressCidrs: Object.freeze(["0.0.0.0/0"]),
  deletionProtection: true,
  // A tenth of the calls shows what all would; five minutes are as many points of an alarm.
  shiftPercent: 10,
  shiftStepMinutes: 5,
  shiftBakeMinutes: 5,
  // What the provider itself waits for a service, in minutes.
  serviceMinutes: 20,
  // The host writes its load so often, where calls in flight scale a fleet.
  loadLogSeconds: 15,
});
