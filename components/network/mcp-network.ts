import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { availabilityZones, region } from "../aws/looked-up.ts";
import { fleetNameProblems, roleNameProblems } from "../aws/name-rules.ts";
import { type Aws, awsSdk } from "../aws/sdk.ts";
import { childOf } from "../child-of.ts";
import { InputError } from "../input-error.ts";
import type { MCPNetworkArgs } from "./args.ts";
import { flowLogObjects } from "./flow-logs.ts";
import { networkProblems, type ZoneCidrs, zoneCidrs } from "./subnets.ts";

const usualBlock = "10.42.0.0/16";
const usualZones = 2;
const usualRetentionDays = 30;

/**
 * A network on AWS for fleets and gateways: a VPC with public and private subnets, an ECS cluster, a DNS namespace in
 * which fleets are found, and the security group by which they know gateways. It is what `aws.environment` takes; an
 * existing network is given there by its ids instead.
 */
export class MCPNetwork extends pulumi.ComponentResource {
  /** The VPC. */
  public readonly vpcId: pulumi.Output<string>;
  /** Subnets of tasks. */
  public readonly privateSubnetIds: pulumi.Output<string[]>;
  /** Subnets of public load balancers and of NAT gateways. */
  public readonly publicSubnetIds: pulumi.Output<string[]>;
  /** The ECS cluster. */
  public readonly clusterArn: pulumi.Output<string>;
  /** Its name. */
  public readonly clusterName: pulumi.Output<string>;
  /** The DNS namespace of Cloud Map. */
  public readonly namespaceId: pulumi.Output<string>;
  /** Its name. */
  public readonly namespaceName: pulumi.Output<string>;
  /** The security group whose members may call fleets. */
  public readonly gatewaySecurityGroupId: pulumi.Output<string>;

  constructor(name: string, args: MCPNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-fleet:index:MCPNetwork", name, args, opts);
    const component = `MCPNetwork "${name}"`;
    const { cidrBlock = usualBlock, zones, tags = {} } = args;
    const count = zones?.length ?? usualZones;
    const problems = [
      ...fleetNameProblems(name),
      ...roleNameProblems(name, "flow-role"),
      ...networkProblems({ cidrBlock, zones: count }),
    ];
    if (problems.length > 0) throw new InputError(component, problems);
    const sdk = awsSdk(component);
    const child = childOf(this);
    const tagged = (noun: string) => ({ ...tags, Name: `${name}-${noun}`, "mcp-fleet:component": name });
    const vpc = new sdk.ec2.Vpc(
      `${name}-vpc`,
      { cidrBlock, enableDnsHostnames: true, enableDnsSupport: true, tags: tagged("vpc") },
      child(),
    );
    // What nobody chose a group for can neither call nor be called.
    new sdk.ec2.DefaultSecurityGroup(`${name}-default-security`, { vpcId: vpc.id, tags: tagged("default") }, child());
    const available = availabilityZones(sdk, component, this);
    const zoneOf = (index: number) => zones?.[index] ?? available.apply((names) => names[index] as string);
    const cidrs = zoneCidrs(cidrBlock, count).map((cidr, index) => ({ ...cidr, zone: zoneOf(index) }));
    const subnets = subnetObjects(sdk, this, name, vpc, cidrs, args.natPerZone === true, tagged);
    const kept = { retentionInDays: args.flowLogRetentionDays ?? usualRetentionDays, kmsKeyId: args.kmsKeyArn };
    flowLogObjects(sdk, this, name, vpc, kept, tagged);
    const cluster = new sdk.ecs.Cluster(
      `${name}-cluster`,
      { settings: [{ name: "containerInsights", value: "enabled" }], tags: tagged("cluster") },
      child(),
    );
    const capacity = new sdk.ecs.ClusterCapacityProviders(
      `${name}-capacity`,
      { clusterName: cluster.name, capacityProviders: ["FARGATE", "FARGATE_SPOT"] },
      child(),
    );
    const namespace = new sdk.servicediscovery.PrivateDnsNamespace(
      `${name}-namespace`,
      {
        name: args.namespaceName ?? `${pulumi.getProject()}-${pulumi.getStack()}.internal`,
        vpc: vpc.id,
        tags: tagged("namespace"),
      },
      child(),
    );
    const gateways = new sdk.ec2.SecurityGroup(
      `${name}-gateways`,
      { vpcId: vpc.id, description: "Gateways: their members may call MCP fleets", tags: tagged("gateways") },
      child(),
    );
    new sdk.vpc.SecurityGroupEgressRule(
      `${name}-gateways-to-fleets`,
      {
        securityGroupId: gateways.id,
        description: "To fleets, at whatever port they listen",
        ...{ cidrIpv4: cidrBlock, ipProtocol: "tcp", fromPort: 1, toPort: 65_535, tags: tagged("gateways") },
      },
      child(),
    );
    this.vpcId = vpc.id;
    this.privateSubnetIds = subnets.privateIds;
    this.publicSubnetIds = subnets.publicIds;
    // A service that names a capacity provider needs the cluster to have it.
    this.clusterArn = pulumi.all([cluster.arn, capacity.id]).apply(([arn]) => arn);
    this.clusterName = cluster.name;
    this.namespaceId = namespace.id;
    this.namespaceName = namespace.name;
    this.gatewaySecurityGroupId = gateways.id;
    this.registerOutputs({
      vpcId: this.vpcId,
      privateSubnetIds: this.privateSubnetIds,
      publicSubnetIds: this.publicSubnetIds,
      clusterArn: this.clusterArn,
      clusterName: this.clusterName,
      namespaceId: this.namespaceId,
      namespaceName: this.namespaceName,
      gatewaySecurityGroupId: this.gatewaySecurityGroupId,
    });
  }
}

/** Subnets, and the ways out of them; private ids are known when tasks in them reach the internet. */
function subnetObjects(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  vpc: aws.ec2.Vpc,
  zones: readonly (ZoneCidrs & { readonly zone: pulumi.Input<string> })[],
  natPerZone: boolean,
  tagged: (noun: string) => Record<string, pulumi.Input<string>>,
): { readonly privateIds: pulumi.Output<string[]>; readonly publicIds: pulumi.Output<string[]> } {
  const child = childOf(parent);
  const vpcId = vpc.id;
  const everywhere = "0.0.0.0/0";
  const internet = new sdk.ec2.InternetGateway(`${name}-internet`, { vpcId, tags: tagged("internet") }, child());
  const routes = [{ cidrBlock: everywhere, gatewayId: internet.id }];
  const open = new sdk.ec2.RouteTable(`${name}-public-routes`, { vpcId, routes, tags: tagged("public") }, child());
  const nats: aws.ec2.NatGateway[] = [];
  const publicIds: pulumi.Output<string>[] = [];
  const privateIds: pulumi.Output<string>[] = [];
  const tables: pulumi.Output<string>[] = [];
  for (const [index, { zone, publicCidr, privateCidr }] of zones.entries()) {
    const number = index + 1;
    const outer = new sdk.ec2.Subnet(
      `${name}-public-${number}`,
      { vpcId, availabilityZone: zone, cidrBlock: publicCidr, tags: tagged(`public-${number}`) },
      child(),
    );
    const outerWay = new sdk.ec2.RouteTableAssociation(
      `${name}-public-way-${number}`,
      { subnetId: outer.id, routeTableId: open.id },
      child(),
    );
    if (natPerZone || index === 0) {
      const address = new sdk.ec2.Eip(`${name}-nat-address-${number}`, { domain: "vpc", tags: tagged("nat") }, child());
      const nat = { subnetId: outer.id, allocationId: address.id, tags: tagged(`nat-${number}`) };
      nats.push(new sdk.ec2.NatGateway(`${name}-nat-${number}`, nat, child({ dependsOn: [internet, outerWay] })));
    }
    const inner = new sdk.ec2.Subnet(
      `${name}-private-${number}`,
      { vpcId, availabilityZone: zone, cidrBlock: privateCidr, tags: tagged(`private-${number}`) },
      child(),
    );
    const natGatewayId = (nats[natPerZone ? index : 0] as aws.ec2.NatGateway).id;
    const out = [{ cidrBlock: everywhere, natGatewayId }];
    const table = new sdk.ec2.RouteTable(
      `${name}-private-routes-${number}`,
      { vpcId, routes: out, tags: tagged(`private-${number}`) },
      child(),
    );
    const innerWay = new sdk.ec2.RouteTableAssociation(
      `${name}-private-way-${number}`,
      { subnetId: inner.id, routeTableId: table.id },
      child(),
    );
    tables.push(table.id);
    publicIds.push(pulumi.all([outer.id, outerWay.id]).apply(([id]) => id));
    privateIds.push(pulumi.all([inner.id, innerWay.id]).apply(([id]) => id));
  }
  // Layers of images come from S3: by this way they cost nothing.
  const serviceName = pulumi.interpolate`com.amazonaws.${region(sdk, `MCPNetwork "${name}"`, parent)}.s3`;
  new sdk.ec2.VpcEndpoint(
    `${name}-s3`,
    { vpcId, serviceName, vpcEndpointType: "Gateway", routeTableIds: tables, tags: tagged("s3") },
    child(),
  );
  return { privateIds: pulumi.all(privateIds), publicIds: pulumi.all(publicIds) };
}
