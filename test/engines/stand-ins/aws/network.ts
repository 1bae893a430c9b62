import { type Answer, type AwsApi, orGone } from "./api.ts";
import { capitalised, type Described, ec2Tags, tagList, tagsOf } from "./kind.ts";

/** VPC, subnets, and the ways out of them. */
export function networkKinds(api: AwsApi): Record<string, Described> {
  const ec2 = (action: string, params: object) => api.call("ec2", action, params);
  const tagged = (ResourceType: string, tags: Record<string, string> | undefined) => ({
    TagSpecifications: [{ ResourceType, Tags: tagList(tags) }],
  });
  const tags = ec2Tags(api);
  const attribute = async (id: string, name: string) => {
    const Attribute = name[0]?.toLowerCase() + name.slice(1);
    return (await ec2("DescribeVpcAttribute", { VpcId: id, Attribute }))[name].Value as boolean;
  };
  const dns = async (id: string, { enableDnsHostnames, enableDnsSupport }: Answer) => {
    await ec2("ModifyVpcAttribute", { VpcId: id, EnableDnsSupport: { Value: enableDnsSupport } });
    await ec2("ModifyVpcAttribute", { VpcId: id, EnableDnsHostnames: { Value: enableDnsHostnames } });
  };
  const defaultGroup = async (vpcId: string): Promise<Answer> => {
    const Filters = [
      { Name: "vpc-id", Values: [vpcId] },
      { Name: "group-name", Values: ["default"] },
    ];
    return (await ec2("DescribeSecurityGroups", { Filters })).SecurityGroups[0];
  };
  const tableOf = async (id: string): Promise<Answer> => {
    const Filters = [{ Name: "association.route-table-association-id", Values: [id] }];
    return (await ec2("DescribeRouteTables", { Filters })).RouteTables[0];
  };
  return {
    "aws:ec2/vpc:Vpc": {
      inputs: ["cidrBlock", "enableDnsHostnames", "enableDnsSupport", "tags"],
      async create({ cidrBlock, tags: given, ...rest }) {
        const { Vpc } = await ec2("CreateVpc", { CidrBlock: cidrBlock, ...tagged("vpc", given) });
        await dns(Vpc.VpcId, rest);
        return Vpc.VpcId;
      },
      async live(id) {
        const answer = await orGone(ec2("DescribeVpcs", { VpcIds: [id] }));
        if (answer === undefined) return undefined;
        const [{ CidrBlock, Tags }] = answer.Vpcs;
        const [hostnames, support] = [
          await attribute(id, "EnableDnsHostnames"),
          await attribute(id, "EnableDnsSupport"),
        ];
        const settings = { enableDnsHostnames: hostnames, enableDnsSupport: support };
        return { inputs: { cidrBlock: CidrBlock, ...settings, tags: tagsOf(Tags) } };
      },
      update: { tags, enableDnsHostnames: dns, enableDnsSupport: dns },
      delete: (id) => ec2("DeleteVpc", { VpcId: id }),
    },
    // It comes with its VPC: the provider takes it over and removes its rules.
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {
      inputs: ["vpcId", "tags"],
      async create({ vpcId, tags: given }) {
        const { GroupId, IpPermissions, IpPermissionsEgress } = await defaultGroup(vpcId);
        if (IpPermissions.length > 0) await ec2("RevokeSecurityGroupIngress", { GroupId, IpPermissions });
        if (IpPermissionsEgress.length > 0) {
          await ec2("RevokeSecurityGroupEgress", { GroupId, IpPermissions: IpPermissionsEgress });
        }
        await ec2("CreateTags", { Resources: [GroupId], Tags: tagList(given) });
        return GroupId;
      },
      async live(_id, { vpcId }) {
        const group = await defaultGroup(vpcId);
        return group === undefined ? undefined : { inputs: { tags: tagsOf(group.Tags) } };
      },
      update: { tags },
      delete: async () => {},
    },
    "aws:ec2/subnet:Subnet": {
      inputs: ["vpcId", "availabilityZone", "cidrBlock", "tags"],
      async create({ tags: given, ...place }) {
        return (await ec2("CreateSubnet", { ...capitalised(place), ...tagged("subnet", given) })).Subnet.SubnetId;
      },
      async live(id) {
        const answer = await orGone(ec2("DescribeSubnets", { SubnetIds: [id] }));
        if (answer === undefined) return undefined;
        const [{ VpcId, AvailabilityZone, CidrBlock, Tags }] = answer.Subnets;
        const place = { vpcId: VpcId, availabilityZone: AvailabilityZone, cidrBlock: CidrBlock };
        return { inputs: { ...place, tags: tagsOf(Tags) } };
      },
      update: { tags },
      delete: (id) => ec2("DeleteSubnet", { SubnetId: id }),
    },
    "aws:ec2/internetGateway:InternetGateway": {
      inputs: ["vpcId", "tags"],
      async create({ vpcId, tags: given }) {
        const { InternetGateway } = await ec2("CreateInternetGateway", tagged("internet-gateway", given));
        const { InternetGatewayId } = InternetGateway;
        await ec2("AttachInternetGateway", { InternetGatewayId, VpcId: vpcId });
        return InternetGatewayId;
      },
      async live(id) {
        const answer = await orGone(ec2("DescribeInternetGateways", { InternetGatewayIds: [id] }));
        if (answer === undefined) return undefined;
        const [{ Attachments, Tags }] = answer.InternetGateways;
        return { inputs: { vpcId: Attachments[0]?.VpcId, tags: tagsOf(Tags) } };
      },
      update: { tags },
      async delete(id, { vpcId }) {
        await ec2("DetachInternetGateway", { InternetGatewayId: id, VpcId: vpcId });
        await ec2("DeleteInternetGateway", { InternetGatewayId: id });
      },
    },
    "aws:ec2/routeTable:RouteTable": {
      inputs: ["vpcId", "routes", "tags"],
      async create({ vpcId, routes, tags: given }) {
        const { RouteTable } = await ec2("CreateRouteTable", { VpcId: vpcId, ...tagged("route-table", given) });
        const { RouteTableId } = RouteTable;
        for (const { cidrBlock, gatewayId, natGatewayId } of routes) {
          const to = capitalised({ gatewayId, natGatewayId });
          await ec2("CreateRoute", { RouteTableId, DestinationCidrBlock: cidrBlock, ...to });
        }
        return RouteTableId;
      },
      async live(id) {
        const answer = await orGone(ec2("DescribeRouteTables", { RouteTableIds: [id] }));
        if (answer === undefined) return undefined;
        const [{ VpcId, Routes, Tags }] = answer.RouteTables;
        // The VPC's own addresses, and services with a gateway endpoint, have routes that nobody declares.
        const declared = Routes.filter(
          ({ GatewayId, DestinationCidrBlock }: Answer) =>
            DestinationCidrBlock !== undefined && !/^(local$|vpce-)/.test(GatewayId ?? ""),
        );
        const routes = declared.map(({ DestinationCidrBlock, GatewayId, NatGatewayId }: Answer) => ({
          cidrBlock: DestinationCidrBlock,
          ...(NatGatewayId === undefined ? { gatewayId: GatewayId } : { natGatewayId: NatGatewayId }),
        }));
        return { inputs: { vpcId: VpcId, routes, tags: tagsOf(Tags) } };
      },
      update: { tags },
      delete: (id) => ec2("DeleteRouteTable", { RouteTableId: id }),
    },
    "aws:ec2/routeTableAssociation:RouteTableAssociation": {
      inputs: ["subnetId", "routeTableId"],
      create: async (inputs) => (await ec2("AssociateRouteTable", capitalised(inputs))).AssociationId,
      async live(id) {
        const table = await tableOf(id);
        const association = table?.Associations.find((one: Answer) => one.RouteTableAssociationId === id);
        if (association === undefined) return undefined;
        return { inputs: { subnetId: association.SubnetId, routeTableId: association.RouteTableId } };
      },
      delete: (id) => ec2("DisassociateRouteTable", { AssociationId: id }),
    },
    "aws:ec2/eip:Eip": {
      inputs: ["domain", "tags"],
      create: async ({ domain, tags: given }) =>
        (await ec2("AllocateAddress", { Domain: domain, ...tagged("elastic-ip", given) })).AllocationId,
      async live(id) {
        const answer = await orGone(ec2("DescribeAddresses", { AllocationIds: [id] }));
        if (answer === undefined) return undefined;
        const [{ Domain, PublicIp, Tags }] = answer.Addresses;
        return { inputs: { domain: Domain, tags: tagsOf(Tags) }, outputs: { publicIp: PublicIp } };
      },
      update: { tags },
      delete: (id) => ec2("ReleaseAddress", { AllocationId: id }),
    },
    "aws:ec2/natGateway:NatGateway": {
      inputs: ["subnetId", "allocationId", "tags"],
      async create({ tags: given, ...place }) {
        const answer = await ec2("CreateNatGateway", { ...capitalised(place), ...tagged("natgateway", given) });
        return answer.NatGateway.NatGatewayId;
      },
      async live(id) {
        const answer = await orGone(ec2("DescribeNatGateways", { NatGatewayIds: [id] }));
        const gateway = answer?.NatGateways.find(({ State }: Answer) => State === "available");
        if (gateway === undefined) return undefined;
        const { SubnetId, NatGatewayAddresses, Tags } = gateway;
        const place = { subnetId: SubnetId, allocationId: NatGatewayAddresses[0]?.AllocationId };
        return { inputs: { ...place, tags: tagsOf(Tags) } };
      },
      update: { tags },
      delete: (id) => ec2("DeleteNatGateway", { NatGatewayId: id }),
    },
    "aws:ec2/vpcEndpoint:VpcEndpoint": {
      inputs: ["vpcId", "serviceName", "vpcEndpointType", "routeTableIds", "tags"],
      async create({ tags: given, ...place }) {
        const answer = await ec2("CreateVpcEndpoint", { ...capitalised(place), ...tagged("vpc-endpoint", given) });
        return answer.VpcEndpoint.VpcEndpointId;
      },
      async live(id) {
        const answer = await orGone(ec2("DescribeVpcEndpoints", { VpcEndpointIds: [id] }));
        const endpoint = answer?.VpcEndpoints.find(({ State }: Answer) => State === "available");
        if (endpoint === undefined) return undefined;
        const { VpcId, ServiceName, VpcEndpointType, RouteTableIds, Tags } = endpoint;
        const place = { vpcId: VpcId, serviceName: ServiceName, vpcEndpointType: VpcEndpointType };
        return { inputs: { ...place, routeTableIds: RouteTableIds, tags: tagsOf(Tags) } };
      },
      update: { tags },
      delete: (id) => ec2("DeleteVpcEndpoints", { VpcEndpointIds: [id] }),
    },
    "aws:ec2/flowLog:FlowLog": {
      inputs: ["vpcId", "trafficType", "logDestination", "iamRoleArn", "tags"],
      async create({ vpcId, trafficType, logDestination, iamRoleArn, tags: given }) {
        const answer = await ec2("CreateFlowLogs", {
          ...{ ResourceType: "VPC", ResourceIds: [vpcId], TrafficType: trafficType },
          ...{ LogDestinationType: "cloud-watch-logs", LogGroupName: logDestination.split(":log-group:")[1] },
          ...{ DeliverLogsPermissionArn: iamRoleArn, ...tagged("vpc-flow-log", given) },
        });
        const [refused] = answer.Unsuccessful;
        if (refused !== undefined) throw new Error(JSON.stringify(refused));
        return answer.FlowLogIds[0];
      },
      async live(id) {
        const answer = await orGone(ec2("DescribeFlowLogs", { FlowLogIds: [id] }));
        const log = answer?.FlowLogs[0];
        if (log === undefined) return undefined;
        const { ResourceId, TrafficType, DeliverLogsPermissionArn, Tags } = log;
        const place = { vpcId: ResourceId, trafficType: TrafficType, iamRoleArn: DeliverLogsPermissionArn };
        return { inputs: { ...place, tags: tagsOf(Tags) } };
      },
      update: { tags },
      delete: (id) => ec2("DeleteFlowLogs", { FlowLogIds: [id] }),
    },
  };
}
