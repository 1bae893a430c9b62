import type { Moto } from "../../support/moto.ts";
import type { Answer } from "../stand-ins/aws/api.ts";

/** What is asked for, where its list is in the answer, and what names one. */
type Listed = readonly [
  service: string,
  action: string,
  list: string,
  name: (one: Answer) => string | undefined,
  params?: object,
];

/** A name, or undefined for what AWS still shows of what has ended. */
const standing = (state: string, name: string | undefined) => (state === "available" ? name : undefined);

const lists: Readonly<Record<string, Listed>> = {
  vpcs: ["ec2", "DescribeVpcs", "Vpcs", (one) => one.VpcId],
  subnets: ["ec2", "DescribeSubnets", "Subnets", (one) => one.SubnetId],
  routeTables: ["ec2", "DescribeRouteTables", "RouteTables", (one) => one.RouteTableId],
  internetGateways: ["ec2", "DescribeInternetGateways", "InternetGateways", (one) => one.InternetGatewayId],
  natGateways: ["ec2", "DescribeNatGateways", "NatGateways", (one) => standing(one.State, one.NatGatewayId)],
  addresses: ["ec2", "DescribeAddresses", "Addresses", (one) => one.AllocationId],
  endpoints: ["ec2", "DescribeVpcEndpoints", "VpcEndpoints", (one) => standing(one.State, one.VpcEndpointId)],
  securityGroups: ["ec2", "DescribeSecurityGroups", "SecurityGroups", (one) => one.GroupId],
  flowLogs: ["ec2", "DescribeFlowLogs", "FlowLogs", (one) => one.FlowLogId],
  taskDefinitions: ["ecs", "ListTaskDefinitions", "taskDefinitionArns", (arn) => arn, { status: "ACTIVE" }],
  loadBalancers: ["elbv2", "DescribeLoadBalancers", "LoadBalancers", (one) => one.LoadBalancerArn],
  targetGroups: ["elbv2", "DescribeTargetGroups", "TargetGroups", (one) => one.TargetGroupArn],
  scalableTargets: [
    ...(["application-autoscaling", "DescribeScalableTargets", "ScalableTargets"] as const),
    (one) => one.ResourceId,
    { ServiceNamespace: "ecs" },
  ],
  scalingPolicies: [
    ...(["application-autoscaling", "DescribeScalingPolicies", "ScalingPolicies"] as const),
    (one) => one.PolicyName,
    { ServiceNamespace: "ecs" },
  ],
  namespaces: ["servicediscovery", "ListNamespaces", "Namespaces", (one) => one.Id],
  discovered: ["servicediscovery", "ListServices", "Services", (one) => one.Id],
  roles: ["iam", "ListRoles", "Roles", (one) => one.RoleName],
  secrets: ["secretsmanager", "ListSecrets", "SecretList", (one) => one.Name],
  logGroups: ["logs", "DescribeLogGroups", "logGroups", (one) => one.logGroupName],
  metricFilters: ["logs", "DescribeMetricFilters", "metricFilters", (one) => one.filterName],
  alarms: ["cloudwatch", "DescribeAlarms", "MetricAlarms", (one) => one.AlarmName],
  dashboards: ["cloudwatch", "ListDashboards", "DashboardEntries", (one) => one.DashboardName],
  topics: ["sns", "ListTopics", "Topics", (one) => one.TopicArn],
  subscriptions: ["sns", "ListSubscriptions", "Subscriptions", (one) => one.SubscriptionArn],
  certificates: ["acm", "ListCertificates", "CertificateSummaryList", (one) => one.CertificateArn],
};

/** Everything that is in the account, by kind, as sorted names. */
export async function inventory(aws: Moto): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const [kind, [service, action, list, name, params]] of Object.entries(lists)) {
    const answer = await aws.call(service, action, params);
    found[kind] = answer[list]
      .map(name)
      .filter((one: string | undefined) => one !== undefined)
      .sort();
  }
  // AWS lists clusters that have been deleted for a while.
  const { clusterArns: clusters } = await aws.call("ecs", "ListClusters");
  const described = clusters.length === 0 ? [] : (await aws.call("ecs", "DescribeClusters", { clusters })).clusters;
  return { ...found, clusters: described.filter(({ status }: Answer) => status === "ACTIVE") };
}
