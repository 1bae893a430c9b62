import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { awsDefaults as defaults } from "./defaults.ts";
import type { Aws } from "./sdk.ts";
import { tagsOf, type Workload } from "./workload.ts";

/** A security group of a workload: nobody may call it, and it may call nobody, until rules say otherwise. */
export function securityGroup(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  description: string,
): aws.ec2.SecurityGroup {
  const { vpcId } = workload.block.environment;
  return new sdk.ec2.SecurityGroup(name, { vpcId, description, tags: tagsOf(workload) }, childOf(parent)());
}

/** Lets members of another group call a port. */
export function allowFrom(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  rule: {
    readonly to: aws.ec2.SecurityGroup;
    readonly from: pulumi.Input<string>;
    readonly port: number;
    readonly description: string;
  },
): aws.vpc.SecurityGroupIngressRule {
  return new sdk.vpc.SecurityGroupIngressRule(
    name,
    {
      securityGroupId: rule.to.id,
      referencedSecurityGroupId: rule.from,
      description: rule.description,
      ...{ ipProtocol: "tcp", fromPort: rule.port, toPort: rule.port, tags: tagsOf(workload) },
    },
    childOf(parent)(),
  );
}

/** Lets a group call addresses over TLS: AWS's services, and what servers ask of the internet. */
export function allowTlsOut(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  from: aws.ec2.SecurityGroup,
): aws.vpc.SecurityGroupEgressRule[] {
  const cidrs = workload.block.egressCidrs ?? defaults.egressCidrs;
  return cidrs.map(
    (cidrIpv4, index) =>
      new sdk.vpc.SecurityGroupEgressRule(
        `${name}-${index + 1}`,
        {
          securityGroupId: from.id,
          description: "AWS itself, and what servers ask of others, over TLS",
          ...{ cidrIpv4, ipProtocol: "tcp", fromPort: 443, toPort: 443, tags: tagsOf(workload) },
        },
        childOf(parent)(),
      ),
  );
}
