import type * as pulumi from "@pulumi/pulumi";

/** Where tasks run. An `MCPNetwork` is one; an existing network is given by its ids. */
export interface AwsEnvironmentArgs {
  /** VPC. */
  vpcId: pulumi.Input<string>;
  /** Subnets of the tasks, in two zones or more; they reach AWS's services by a NAT gateway or by VPC endpoints. */
  privateSubnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Subnets of a public load balancer. Defaults to none. */
  publicSubnetIds?: pulumi.Input<pulumi.Input<string>[]>;
  /** ECS cluster. */
  clusterArn: pulumi.Input<string>;
  /** Its name. */
  clusterName: pulumi.Input<string>;
  /** Private DNS namespace of Cloud Map in which fleets are found. */
  namespaceId: pulumi.Input<string>;
  /** Its name, such as `mcp.internal`. */
  namespaceName: pulumi.Input<string>;
  /** Security group whose members may call fleets: gateways join it. */
  gatewaySecurityGroupId: pulumi.Input<string>;
}

/** What the tasks of fleets and gateways have in common. */
export interface AwsTaskArgs {
  /** Where the tasks run. */
  environment: AwsEnvironmentArgs;
  /** `X86_64` or `ARM64`, as the image is built. Defaults to `X86_64`. */
  architecture?: pulumi.Input<string>;
  /** How long logs are kept, in days. Defaults to 30. */
  logRetentionDays?: pulumi.Input<number>;
  /** Key with which logs and secrets are encrypted. Defaults to AWS's own. */
  kmsKeyArn?: pulumi.Input<string>;
  /** Policies of what the tasks themselves may do in AWS. Defaults to none: nothing. */
  taskPolicyArns?: pulumi.Input<string>[];
  /** Addresses that the tasks may call at port 443, which AWS's own services need. Defaults to all. */
  egressCidrs?: pulumi.Input<string>[];
  /** Alarms of CloudWatch; one that goes off while a new version takes over brings the old one back. Defaults to none. */
  rollbackAlarmNames?: pulumi.Input<pulumi.Input<string>[]>;
  /** Calm before instances are taken away, in seconds. Defaults to 300. */
  scaleDownAfterSeconds?: pulumi.Input<number>;
}

/** The `aws` platform's own block of a fleet. */
export interface FleetAwsArgs extends AwsTaskArgs {
  /** Takes Fargate's spare capacity, which is cheaper and can be taken back at two minutes' notice. Defaults to false. */
  spot?: pulumi.Input<boolean>;
}

/** A zone of Route 53 in which the gateway's name lies. */
export interface AwsDnsArgs {
  /** Hosted zone. */
  zoneId: pulumi.Input<string>;
}

/** How ECS takes over a new version of a gateway. */
export const DeploymentStrategy = {
  /** New tasks first, then old ones go. */
  Rolling: "rolling",
  /** All calls at once, when all new tasks are ready; the old ones are kept for a while. */
  BlueGreen: "blue-green",
  /** A share of the calls, and after a while the rest. */
  Canary: "canary",
  /** One share of the calls after the other. */
  Linear: "linear",
} as const;
export type DeploymentStrategy = (typeof DeploymentStrategy)[keyof typeof DeploymentStrategy];

/** How a gateway's service takes over a new version. All plain, because resources and how long an update waits depend on them. */
export interface GatewayDeploymentArgs {
  /** `rolling`, `blue-green`, `canary` or `linear`. Defaults to `rolling`. */
  strategy?: string;
  /** Share of the calls that the new version gets first (`canary`) or with each step (`linear`), in percent. Defaults to 10. */
  percent?: number;
  /** Wait after that, in minutes. Defaults to 5. */
  stepMinutes?: number;
  /** How long the old tasks are kept after all calls go to the new ones, in minutes. Defaults to 5. */
  bakeMinutes?: number;
}

/** The `aws` platform's own block of a gateway. */
export interface GatewayAwsArgs extends AwsTaskArgs {
  /** The name that clients call: `mcp.example.com`. */
  host: pulumi.Input<string>;
  /** Certificate of that name. Defaults to one that is made and validated in `dns`. Plain when absent, because that decides whether one is made. */
  certificateArn?: pulumi.Input<string>;
  /** Where the gateway's name is written. Defaults to none: somebody else points the name at the load balancer. */
  dns?: AwsDnsArgs;
  /** Reached from the internet instead of from within the VPC. Defaults to false. Plain, because it decides which subnets are needed. */
  public?: boolean;
  /** Addresses that may call. Needed: nothing may call by default. */
  ingressCidrs?: pulumi.Input<string>[];
  /** How long a connection may be silent, in seconds; event streams say something every 15. Defaults to 120. */
  idleTimeoutSeconds?: pulumi.Input<number>;
  /** Bucket of the load balancer's access logs. Defaults to none. */
  accessLogsBucket?: pulumi.Input<string>;
  /** Web ACL of WAF in front of the load balancer. Defaults to none. */
  webAclArn?: pulumi.Input<string>;
  /** Refuses to delete the load balancer. Defaults to true; set it to false, and update, before a destroy. */
  deletionProtection?: pulumi.Input<boolean>;
  /** How a new version is taken over. Defaults to a rolling update, which a circuit breaker rolls back. */
  deployment?: GatewayDeploymentArgs;
  /** Keeps a serverless cache (Valkey) for what replicas share: exact rate limits, kept answers. Defaults to false. Plain, because it decides which resources exist. */
  sharedCache?: boolean;
}
