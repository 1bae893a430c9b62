import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { unknownFleets } from "../gateway/reference-rules.ts";
import { checkedGateway } from "../gateway/resolve.ts";
import { InputError } from "../input-error.ts";
import type { PlatformComponents } from "../platforms.ts";
import type { GatewayAwsArgs } from "./args.ts";
import { scalingObjects } from "./autoscaling.ts";
import { balancerObjects } from "./balancer.ts";
import { awsDefaults as defaults } from "./defaults.ts";
import { gatewayConfig, gatewayWorkload } from "./gateway-workload.ts";
import { stackName, stackNameProblems } from "./name-rules.ts";
import { gatewayProblems } from "./rules.ts";
import { type Aws, awsSdk } from "./sdk.ts";
import { allowFrom, allowTlsOut, securityGroup } from "./security-group.ts";
import { serviceObject } from "./service.ts";
import { taskObjects } from "./task.ts";
import { tagsOf, type Workload } from "./workload.ts";

const redisPort = 6379;

/** A gateway as an ECS service on Fargate behind a load balancer. */
export const gateway: PlatformComponents["gateway"] = (parent, name, settings) => {
  const { component, common, args } = settings;
  const problems = [
    ...gatewayProblems(name, args),
    ...stackNameProblems(name, args.aws?.sharedCache === true),
    ...unknownFleets(args.fleets),
  ];
  if (problems.length > 0) throw new InputError(component, problems);
  const { scaling: _, ...own } = common;
  checkedGateway(component, own);
  const sdk = awsSdk(component);
  const block = args.aws as GatewayAwsArgs;
  const { environment, host, dns } = block;
  const described = gatewayWorkload(settings, "");
  const group = securityGroup(sdk, parent, `${name}-security`, described, `Tasks of MCP gateway ${name}`);
  const rules = allowTlsOut(sdk, parent, `${name}-to-tls`, described, group);
  const redisUrl = block.sharedCache === true ? sharedCache(sdk, parent, name, described, group) : undefined;
  const workload = gatewayWorkload(settings, gatewayConfig(settings, redisUrl));
  const task = taskObjects(sdk, parent, name, workload, args.secrets);
  const { loadBalancer, targetGroup, advancedConfiguration, needs } = balancerObjects(
    sdk,
    parent,
    name,
    workload,
    group,
  );
  const minInstances = args.scaling?.minInstances ?? defaults.gatewayMinInstances;
  const service = serviceObject(sdk, parent, name, workload, task, minInstances, {
    // Members of the second group may call fleets.
    securityGroups: [group.id, environment.gatewaySecurityGroupId],
    loadBalancers: [
      {
        ...{ targetGroupArn: targetGroup.arn, containerName: workload.role, containerPort: workload.port },
        ...(advancedConfiguration === undefined ? {} : { advancedConfiguration }),
      },
    ],
    needs: [...needs, ...rules],
  });
  scalingObjects(sdk, parent, name, workload, service, {
    minInstances,
    maxInstances: args.scaling?.maxInstances ?? defaults.gatewayMaxInstances,
    targetCpuPercent: args.scaling?.targetCpuPercent ?? defaults.targetCpuPercent,
  });
  const url = pulumi.interpolate`https://${host}`;
  if (dns !== undefined) nameRecord(sdk, parent, name, block, loadBalancer);
  return {
    url: service.id.apply(() => url),
    internalUrl: service.id.apply(() => url),
    status: service.desiredCount.apply((count) => (count === 0 ? "stopped" : "running")),
  };
};

function nameRecord(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  { dns, host }: GatewayAwsArgs,
  { dnsName, zoneId }: aws.lb.LoadBalancer,
): void {
  const aliases = [{ name: dnsName, zoneId, evaluateTargetHealth: true }];
  const record = { zoneId: dns?.zoneId as pulumi.Input<string>, name: host, type: "A" as const, aliases };
  new sdk.route53.Record(`${name}-record`, record, childOf(parent)());
}

/** A serverless cache for what replicas share; returns its URL. */
function sharedCache(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  tasks: aws.ec2.SecurityGroup,
): pulumi.Output<string> {
  const child = childOf(parent);
  const tags = tagsOf(workload);
  const group = securityGroup(sdk, parent, `${name}-cache-security`, workload, `Shared cache of MCP gateway ${name}`);
  allowFrom(sdk, parent, `${name}-cache-from-tasks`, workload, {
    ...{ to: group, from: tasks.id, port: redisPort },
    description: "What replicas share",
  });
  new sdk.vpc.SecurityGroupEgressRule(
    `${name}-to-cache`,
    {
      securityGroupId: tasks.id,
      referencedSecurityGroupId: group.id,
      description: "What replicas share",
      ...{ ipProtocol: "tcp", fromPort: redisPort, toPort: redisPort, tags },
    },
    child(),
  );
  const cache = new sdk.elasticache.ServerlessCache(
    `${name}-cache`,
    {
      engine: "valkey",
      majorEngineVersion: "8",
      name: stackName(name),
      subnetIds: workload.block.environment.privateSubnetIds,
      securityGroupIds: [group.id],
      kmsKeyId: workload.block.kmsKeyArn,
      tags,
    },
    child(),
  );
  return cache.endpoints.apply(([first]) => `rediss://${first?.address}:${first?.port}`);
}
