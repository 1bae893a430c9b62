import Type from "typebox";

const closed = { additionalProperties: false } as const;
const open = Type.Optional;
const text = Type.String({ minLength: 1 });
const labels = Type.Record(Type.String(), Type.String());
const port = Type.Integer({ minimum: 1, maximum: 65_535 });
const cidr = Type.String({ pattern: "^[0-9a-fA-F:.]+/[0-9]{1,3}$" });
const arn = Type.String({ pattern: "^arn:" });
const seconds = Type.Integer({ minimum: 0, maximum: 3600 });
const subnets = Type.Array(text, { minItems: 2 });

const task = {
  environment: open(
    Type.Object(
      {
        vpcId: open(text),
        privateSubnetIds: open(subnets),
        publicSubnetIds: open(subnets),
        clusterArn: open(text),
        clusterName: open(text),
        namespaceId: open(text),
        namespaceName: open(text),
        gatewaySecurityGroupId: open(text),
      },
      // An MCPNetwork has more than these.
      { additionalProperties: true },
    ),
  ),
  architecture: open(Type.Enum(["X86_64", "ARM64"])),
  // What CloudWatch takes.
  logRetentionDays: open(Type.Enum([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653])),
  kmsKeyArn: open(arn),
  taskPolicyArns: open(Type.Array(arn)),
  egressCidrs: open(Type.Array(cidr, { minItems: 1 })),
  scaleDownAfterSeconds: open(seconds),
};
const variables = Type.Record(Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$" }), Type.String(), closed);
const cpu = open(Type.Integer({ minimum: 1, maximum: 16_000 }));
const memory = open(Type.Integer({ minimum: 32, maximum: 122_880 }));
const percent = Type.Integer({ minimum: 1, maximum: 100 });
const instances = (minimum: number) => open(Type.Integer({ minimum, maximum: 1000 }));

/** What a fleet's own arguments for this platform may say, as far as it is known at once. */
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
    aws: open(Type.Object({ ...task, spot: open(Type.Boolean()) }, closed)),
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
    aws: open(
      Type.Object(
        {
          ...task,
          host: open(Type.String({ pattern: "^[a-z0-9-]+(\\.[a-z0-9-]+)+$" })),
          certificateArn: open(arn),
          dns: open(Type.Object({ zoneId: open(text) }, closed)),
          public: open(Type.Boolean()),
          ingressCidrs: open(Type.Array(cidr)),
          // What a load balancer takes.
          idleTimeoutSeconds: open(Type.Integer({ minimum: 30, maximum: 4000 })),
          accessLogsBucket: open(text),
          webAclArn: open(arn),
          deletionProtection: open(Type.Boolean()),
          sharedCache: open(Type.Boolean()),
        },
        closed,
      ),
    ),
  },
  closed,
);
