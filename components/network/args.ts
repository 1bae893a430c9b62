import type * as pulumi from "@pulumi/pulumi";

/** Arguments of `MCPNetwork`. */
export interface MCPNetworkArgs {
  /** Addresses of the VPC: a block of size 16. Defaults to `10.42.0.0/16`. Plain, because subnets are made of it. */
  cidrBlock?: string;
  /** Availability zones, two or more. Defaults to the first two of the region. Plain number of them, because it decides how many subnets there are. */
  zones?: pulumi.Input<string>[];
  /** A NAT gateway in each zone instead of one for all: dearer, and no zone depends on another. Defaults to false. Plain, because it decides which resources exist. */
  natPerZone?: boolean;
  /** Name of the private DNS namespace. Defaults to `<project>-<stack>.internal`. */
  namespaceName?: pulumi.Input<string>;
  /** How long records of the network's traffic are kept, in days. Defaults to 30. */
  flowLogRetentionDays?: pulumi.Input<number>;
  /** Key with which these records are encrypted; its policy lets CloudWatch Logs use it. Defaults to AWS's own. */
  kmsKeyArn?: pulumi.Input<string>;
  /** Tags of every resource. Defaults to none. */
  tags?: Record<string, pulumi.Input<string>>;
}
