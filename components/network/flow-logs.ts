import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../aws/sdk.ts";
import { childOf } from "../child-of.ts";

/** Records of the traffic that a network refused or let through, and the role that writes them: nothing else. */
export function flowLogObjects(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  vpc: aws.ec2.Vpc,
  { retentionInDays, kmsKeyId }: Pick<aws.cloudwatch.LogGroupArgs, "retentionInDays" | "kmsKeyId">,
  tagged: (noun: string) => Record<string, pulumi.Input<string>>,
): void {
  const child = childOf(parent);
  const tags = tagged("flow-logs");
  const group = new sdk.cloudwatch.LogGroup(`${name}-flow-logs`, { retentionInDays, kmsKeyId, tags }, child());
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "vpc-flow-logs.amazonaws.com" } }],
  };
  const role = new sdk.iam.Role(`${name}-flow-role`, { assumeRolePolicy: JSON.stringify(trust), tags }, child());
  const Action = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"];
  const policy = pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action, Resource: pulumi.interpolate`${group.arn}:*` }],
  });
  new sdk.iam.RolePolicy(`${name}-flow-policy`, { role: role.id, policy }, child());
  new sdk.ec2.FlowLog(
    `${name}-flow-log`,
    { vpcId: vpc.id, trafficType: "ALL", logDestination: group.arn, iamRoleArn: role.arn, tags },
    child(),
  );
}
