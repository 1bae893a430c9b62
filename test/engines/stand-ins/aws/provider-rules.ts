import type { Answer } from "./api.ts";
import { anyCase, anyOrder, type Comparison, sameDefinitions, sameJson, samePolicy, setsIn } from "./comparisons.ts";

/** What the provider does with a type's properties before AWS is asked. */
export interface ProviderRules {
  /** Properties whose change makes a new resource; any other one is changed in place. */
  readonly replaces: readonly string[];
  /** Properties that it does not compare letter by letter. */
  readonly compares?: Readonly<Record<string, Comparison>>;
  /** More of such changes, where they depend on the values. */
  readonly replacesFor?: (olds: Answer, news: Answer, changed: readonly string[]) => readonly string[];
  /** What it refuses, in its own words. */
  readonly refuses?: (inputs: Answer) => readonly string[];
  /** What it refuses as a change. */
  readonly refusesChange?: (olds: Answer, news: Answer, changed: readonly string[]) => readonly string[];
}

/**
 * The rules, by type. Pulumi's provider takes them from the schema of hashicorp/terraform-provider-aws (`ForceNew`, `ValidateFunc`,
 * `DiffSuppressFunc`, `StateFunc`, `CustomizeDiff`); the file of each is named. Those without "read" were found by asking that provider, 5.100.0, to plan each
 * change of a resource that it had made in moto.
 */
export const providerRules: Readonly<Record<string, ProviderRules>> = {
  // internal/service/ec2/vpc_.go
  "aws:ec2/vpc:Vpc": { replaces: ["cidrBlock"] },
  // internal/service/ec2/vpc_default_security_group.go
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": { replaces: ["vpcId"] },
  // internal/service/ec2/vpc_subnet.go
  "aws:ec2/subnet:Subnet": { replaces: ["vpcId", "availabilityZone", "cidrBlock"] },
  // internal/service/ec2/vpc_internet_gateway.go: another VPC is attached in place.
  "aws:ec2/internetGateway:InternetGateway": { replaces: [] },
  // internal/service/ec2/vpc_route_table.go: routes are a set.
  "aws:ec2/routeTable:RouteTable": { replaces: ["vpcId"], compares: { routes: anyOrder } },
  // internal/service/ec2/vpc_route_table_association.go
  "aws:ec2/routeTableAssociation:RouteTableAssociation": { replaces: ["subnetId"] },
  // internal/service/ec2/ec2_eip.go
  "aws:ec2/eip:Eip": { replaces: ["domain"] },
  // internal/service/ec2/vpc_nat_gateway.go
  "aws:ec2/natGateway:NatGateway": { replaces: ["subnetId", "allocationId"] },
  // internal/service/ec2/vpc_endpoint.go (read)
  "aws:ec2/vpcEndpoint:VpcEndpoint": {
    replaces: ["vpcId", "serviceName", "vpcEndpointType"],
    compares: { routeTableIds: anyOrder },
  },
  // internal/service/ec2/vpc_flow_log.go (all but trafficType read)
  "aws:ec2/flowLog:FlowLog": { replaces: ["vpcId", "trafficType", "logDestination", "iamRoleArn"] },
  // internal/service/ec2/vpc_security_group.go
  "aws:ec2/securityGroup:SecurityGroup": {
    replaces: ["name", "description", "vpcId"],
    refuses: ({ name }) => (/^sg-/i.test(name) ? ["invalid value for name (cannot begin with sg-)"] : []),
  },
  // internal/service/ec2/vpc_security_group_ingress_rule.go: who may call is one of two properties, and the other one makes a new rule.
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
    replaces: ["securityGroupId"],
    replacesFor: otherPeer,
  },
  // internal/service/ec2/vpc_security_group_egress_rule.go
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": { replaces: ["securityGroupId"], replacesFor: otherPeer },
  // internal/service/iam/role.go
  "aws:iam/role:Role": {
    replaces: ["name"],
    compares: { assumeRolePolicy: samePolicy },
    refuses: ({ name }) => tooLong(name, 64, "expected length of name to be in the range (1 - 64)"),
  },
  // internal/service/iam/role_policy.go
  "aws:iam/rolePolicy:RolePolicy": { replaces: ["name", "role"], compares: { policy: samePolicy } },
  // internal/service/iam/role_policy_attachment.go
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": { replaces: ["role", "policyArn"] },
  // internal/service/secretsmanager/secret.go
  "aws:secretsmanager/secret:Secret": { replaces: ["name"] },
  // internal/service/secretsmanager/secret_version.go
  "aws:secretsmanager/secretVersion:SecretVersion": { replaces: ["secretId", "secretString"] },
  // internal/service/logs/group.go
  "aws:cloudwatch/logGroup:LogGroup": {
    replaces: ["name"],
    refuses: ({ retentionInDays: days }) =>
      days === undefined || retention.includes(days) ? [] : [`expected retention_in_days to be one of ${retention}`],
  },
  // internal/service/logs/metric_filter.go
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": { replaces: ["name", "logGroupName"] },
  // internal/service/elbv2/load_balancer.go, validate.go
  "aws:lb/loadBalancer:LoadBalancer": {
    replaces: ["name", "loadBalancerType", "internal"],
    compares: { subnets: anyOrder, securityGroups: anyOrder },
    refuses: ({ name }) => [
      ...tooLong(name, 32, '"name" cannot be longer than 32 characters'),
      ...(name?.startsWith("internal-") ? ['"name" cannot begin with "internal-"'] : []),
    ],
  },
  // internal/service/elbv2/target_group.go, validate.go
  "aws:lb/targetGroup:TargetGroup": {
    replaces: ["name", "vpcId", "targetType", "protocol", "port"],
    refuses: ({ name }) => tooLong(name, 32, '"name" cannot be longer than 32 characters'),
  },
  // internal/service/elbv2/listener.go
  "aws:lb/listener:Listener": { replaces: ["loadBalancerArn"], compares: { protocol: anyCase } },
  // internal/service/elbv2/listener_rule.go
  "aws:lb/listenerRule:ListenerRule": { replaces: ["listenerArn"] },
  // internal/service/ecs/cluster.go
  "aws:ecs/cluster:Cluster": { replaces: ["name"] },
  // internal/service/ecs/cluster_capacity_providers.go
  "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": {
    replaces: ["clusterName"],
    compares: { capacityProviders: anyOrder },
  },
  // internal/service/ecs/task_definition.go, task_definition_equivalency.go
  "aws:ecs/taskDefinition:TaskDefinition": {
    replaces: [
      ...["family", "requiresCompatibilities", "networkMode", "cpu", "memory", "runtimePlatform"],
      ...["executionRoleArn", "taskRoleArn", "volumes", "containerDefinitions"],
    ],
    compares: { containerDefinitions: sameDefinitions },
    refuses: ({ family }) =>
      family === undefined || /^[\w-]{1,255}$/.test(family) ? [] : [`invalid value for family (${family})`],
  },
  // internal/service/ecs/service.go. Another capacity provider without forceNewDeployment replaces the service in versions 5, and is refused in 6 (read).
  "aws:ecs/service:Service": {
    replaces: ["name", "cluster"],
    compares: {
      capacityProviderStrategies: anyOrder,
      loadBalancers: anyOrder,
      networkConfiguration: setsIn("subnets", "securityGroups"),
      alarms: setsIn("alarmNames"),
      // Optional and computed (read): one that is not declared is left as it was.
      deploymentConfiguration: (before, after) =>
        after === undefined || JSON.stringify(before) === JSON.stringify(after),
    },
    refusesChange: (_olds, { forceNewDeployment }, changed) =>
      changed.includes("capacityProviderStrategies") && forceNewDeployment !== true
        ? ["force_new_deployment should be true when capacity_provider_strategy is being updated"]
        : [],
  },
  // internal/service/appautoscaling/target.go (read)
  "aws:appautoscaling/target:Target": { replaces: ["resourceId", "scalableDimension", "serviceNamespace"] },
  // internal/service/appautoscaling/policy.go (read)
  "aws:appautoscaling/policy:Policy": { replaces: ["name", "resourceId", "scalableDimension", "serviceNamespace"] },
  // internal/service/servicediscovery/private_dns_namespace.go (read)
  "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": { replaces: ["name", "vpc"] },
  // internal/service/servicediscovery/service.go (read): of the block, only the time to live is changed in place.
  "aws:servicediscovery/service:Service": {
    replaces: ["name"],
    replacesFor: (olds, news, changed) =>
      changed.includes("dnsConfig") && JSON.stringify(withoutTtl(olds)) !== JSON.stringify(withoutTtl(news))
        ? ["dnsConfig"]
        : [],
  },
  // internal/service/cloudwatch/metric_alarm.go
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    replaces: ["name"],
    compares: { alarmActions: anyOrder, okActions: anyOrder, metricQueries: anyOrder },
  },
  // internal/service/cloudwatch/composite_alarm.go (read)
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": {
    replaces: ["alarmName"],
    compares: { alarmActions: anyOrder, okActions: anyOrder },
  },
  // internal/service/cloudwatch/dashboard.go (read)
  "aws:cloudwatch/dashboard:Dashboard": { replaces: ["dashboardName"], compares: { dashboardBody: sameJson } },
  // internal/service/sns/topic.go (read)
  "aws:sns/topic:Topic": { replaces: ["name"] },
  // internal/service/sns/topic_subscription.go (read)
  "aws:sns/topicSubscription:TopicSubscription": { replaces: ["topic", "protocol", "endpoint"] },
};

const retention = [
  ...[0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
];

const tooLong = (name: string | undefined, most: number, message: string): string[] =>
  (name?.length ?? 0) > most ? [`${message}: "${name}"`] : [];

function otherPeer(olds: Answer, news: Answer, changed: readonly string[]): string[] {
  const peers = ["cidrIpv4", "referencedSecurityGroupId"].filter((key) => changed.includes(key));
  return peers.filter((key) => (olds[key] === undefined) !== (news[key] === undefined));
}

function withoutTtl({ dnsConfig }: Answer): Answer {
  return { ...dnsConfig, dnsRecords: dnsConfig.dnsRecords.map(({ type }: Answer) => type) };
}
