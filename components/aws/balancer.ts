import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import type { GatewayAwsArgs } from "./args.ts";
import { awsDefaults as defaults } from "./defaults.ts";
import { shifts } from "./deployment.ts";
import type { Aws } from "./sdk.ts";
import { allowFrom, securityGroup } from "./security-group.ts";
import { type TrafficShift, trafficShift } from "./traffic-shift.ts";
import { tagsOf, type Workload } from "./workload.ts";

/** What of a load balancer others refer to. */
export interface Balancer {
  readonly loadBalancer: aws.lb.LoadBalancer;
  readonly targetGroup: aws.lb.TargetGroup;
  /** How ECS shifts calls; undefined where it does not. */
  readonly advancedConfiguration: TrafficShift["advancedConfiguration"] | undefined;
  /** What must be there before tasks can be registered. */
  readonly needs: pulumi.Resource[];
}

/** A gateway's load balancer: TLS to clients, refused to all but the addresses that may call. */
export function balancerObjects(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  tasks: aws.ec2.SecurityGroup,
): Balancer {
  const child = childOf(parent);
  const tags = tagsOf(workload);
  const block = workload.block as GatewayAwsArgs;
  const { environment, ingressCidrs = [], accessLogsBucket } = block;
  const group = securityGroup(
    sdk,
    parent,
    `${name}-balancer-security`,
    workload,
    `Load balancer of MCP gateway ${name}`,
  );
  const clients = ingressCidrs.flatMap((cidrIpv4, index) =>
    [443, 80].map(
      (port) =>
        new sdk.vpc.SecurityGroupIngressRule(
          `${name}-from-clients-${index + 1}-${port}`,
          {
            securityGroupId: group.id,
            description: port === 80 ? "Clients, which are sent on to TLS" : "Clients",
            ...{ cidrIpv4, ipProtocol: "tcp", fromPort: port, toPort: port, tags },
          },
          child(),
        ),
    ),
  );
  const inward = allowFrom(sdk, parent, `${name}-from-balancer`, workload, {
    ...{ to: tasks, from: group.id, port: workload.port },
    description: "Calls that the load balancer passes on",
  });
  const outward = new sdk.vpc.SecurityGroupEgressRule(
    `${name}-balancer-to-tasks`,
    {
      securityGroupId: group.id,
      referencedSecurityGroupId: tasks.id,
      description: "Calls to the gateway's tasks",
      ...{ ipProtocol: "tcp", fromPort: workload.port, toPort: workload.port, tags },
    },
    child(),
  );
  const loadBalancer = new sdk.lb.LoadBalancer(
    // Short, because AWS allows 32 characters with what the provider appends.
    `${name}-lb`,
    {
      loadBalancerType: "application",
      internal: block.public !== true,
      subnets: block.public === true ? environment.publicSubnetIds : environment.privateSubnetIds,
      securityGroups: [group.id],
      idleTimeout: block.idleTimeoutSeconds ?? defaults.idleTimeoutSeconds,
      dropInvalidHeaderFields: true,
      desyncMitigationMode: "strictest",
      enableDeletionProtection: block.deletionProtection ?? defaults.deletionProtection,
      ...(accessLogsBucket === undefined ? {} : { accessLogs: { bucket: accessLogsBucket, enabled: true } }),
      tags,
    },
    child({ aliases: [{ name: `${name}-balancer` }] }),
  );
  const targets = (noun: string, former: string) =>
    new sdk.lb.TargetGroup(
      `${name}-${noun}`,
      targetGroupArgs(workload),
      child({ aliases: [{ name: `${name}-${former}` }] }),
    );
  const targetGroup = targets("tg", "targets");
  const https = new sdk.lb.Listener(
    `${name}-https`,
    {
      loadBalancerArn: loadBalancer.arn,
      ...{ port: 443, protocol: "HTTPS", sslPolicy: defaults.tlsPolicy },
      certificateArn: certificateOf(sdk, parent, name, workload),
      // Where ECS shifts calls, a rule says where they go. This one still serves while that is not yet there.
      defaultActions: [{ type: "forward", targetGroupArn: targetGroup.arn }],
      tags,
    },
    child(),
  );
  const redirect = { protocol: "HTTPS", port: "443", statusCode: "HTTP_301" };
  new sdk.lb.Listener(
    `${name}-http`,
    {
      loadBalancerArn: loadBalancer.arn,
      ...{ port: 80, protocol: "HTTP", defaultActions: [{ type: "redirect", redirect }], tags },
    },
    child(),
  );
  if (block.webAclArn !== undefined) {
    const association = { resourceArn: loadBalancer.arn, webAclArn: block.webAclArn };
    new sdk.wafv2.WebAclAssociation(`${name}-web-acl`, association, child());
  }
  const needs = [https, inward, outward, ...clients];
  if (!shifts(block.deployment)) return { loadBalancer, targetGroup, advancedConfiguration: undefined, needs };
  const groups = { first: targetGroup, second: targets("tg2", "targets-next") };
  const shift = trafficShift(sdk, parent, name, workload, https, groups);
  const { advancedConfiguration } = shift;
  return { loadBalancer, targetGroup, advancedConfiguration, needs: [...needs, ...shift.needs] };
}

/** A group of tasks to which calls go once they are ready. */
function targetGroupArgs(workload: Workload): aws.lb.TargetGroupArgs {
  return {
    vpcId: workload.block.environment.vpcId,
    targetType: "ip",
    protocol: "HTTP",
    port: workload.port,
    // As long as a task that ends goes on with its calls.
    deregistrationDelay: workload.stopSeconds,
    // The id of a session says all: any task serves it.
    stickiness: { type: "lb_cookie", enabled: false },
    healthCheck: {
      path: "/ready",
      matcher: "200",
      interval: 10,
      timeout: 5,
      healthyThreshold: 2,
      unhealthyThreshold: 2,
    },
    tags: tagsOf(workload),
  };
}

/** The certificate that is given, or one that proves itself by a record in the zone. */
function certificateOf(sdk: Aws, parent: pulumi.Resource, name: string, workload: Workload): pulumi.Input<string> {
  const { certificateArn, host, dns } = workload.block as GatewayAwsArgs;
  if (certificateArn !== undefined || dns === undefined) return certificateArn as pulumi.Input<string>;
  const child = childOf(parent);
  const certificate = new sdk.acm.Certificate(
    `${name}-certificate`,
    { domainName: host, validationMethod: "DNS", tags: tagsOf(workload) },
    child(),
  );
  const option = certificate.domainValidationOptions.apply(([first]) => first);
  const text = (pick: (of: aws.types.output.acm.CertificateDomainValidationOption) => string) =>
    option.apply((of) => (of === undefined ? "" : pick(of)));
  const record = new sdk.route53.Record(
    `${name}-certificate-record`,
    {
      zoneId: dns.zoneId,
      name: text((of) => of.resourceRecordName),
      type: text((of) => of.resourceRecordType) as pulumi.Output<aws.route53.RecordType>,
      records: [text((of) => of.resourceRecordValue)],
      ttl: 300,
      allowOverwrite: true,
    },
    child(),
  );
  const validation = new sdk.acm.CertificateValidation(
    `${name}-certificate-validation`,
    { certificateArn: certificate.arn, validationRecordFqdns: [record.fqdn] },
    child(),
  );
  return validation.certificateArn;
}
