import Type from "typebox";
import { cidr, closed, fleetParts, gatewayParts, open, text } from "../block-parts.ts";
import { DeploymentStrategy } from "./args.ts";

/** What Fargate has, and CloudWatch can aim at. */
const limits = { cpuMillicores: 16_000, memoryMiB: 122_880, targetPercent: 100 };
const arn = Type.String({ pattern: "^arn:" });
const seconds = Type.Integer({ minimum: 0, maximum: 3600 });
const minutes = Type.Integer({ minimum: 0, maximum: 1440 });
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
  rollbackAlarmNames: open(Type.Array(text, { minItems: 1 })),
};

/** What a fleet's own arguments for this platform may say, as far as it is known at once. */
export const fleetBlocks = Type.Object(
  {
    ...fleetParts(limits),
    aws: open(Type.Object({ ...task, spot: open(Type.Boolean()) }, closed)),
  },
  closed,
);

/** The same of a gateway. */
export const gatewayBlocks = Type.Object(
  {
    ...gatewayParts(limits),
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
          deployment: open(
            Type.Object(
              {
                strategy: open(Type.Enum(Object.values(DeploymentStrategy))),
                // What ECS takes, of either.
                percent: open(Type.Number({ minimum: 3, maximum: 100 })),
                stepMinutes: open(minutes),
                bakeMinutes: open(minutes),
              },
              closed,
            ),
          ),
          sharedCache: open(Type.Boolean()),
        },
        closed,
      ),
    ),
  },
  closed,
);
