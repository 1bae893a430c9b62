import { type AwsApi, orGone } from "./api.ts";
import { type Described, ec2Tags, tagList, tagsOf } from "./kind.ts";

/** Security groups and their rules. */
export function securityGroupKinds(api: AwsApi): Record<string, Described> {
  const ec2 = (action: string, params: object) => api.call("ec2", action, params);
  const tags = ec2Tags(api);
  const rule = (direction: "Ingress" | "Egress"): Described => ({
    inputs: [
      ...["securityGroupId", "description", "cidrIpv4", "referencedSecurityGroupId"],
      ...["ipProtocol", "fromPort", "toPort", "tags"],
    ],
    async create({ securityGroupId, description, cidrIpv4, referencedSecurityGroupId, ...wanted }) {
      const peers =
        cidrIpv4 === undefined
          ? { UserIdGroupPairs: [{ GroupId: referencedSecurityGroupId, Description: description }] }
          : { IpRanges: [{ CidrIp: cidrIpv4, Description: description }] };
      const { ipProtocol, fromPort, toPort } = wanted;
      const answer = await ec2(`AuthorizeSecurityGroup${direction}`, {
        GroupId: securityGroupId,
        IpPermissions: [{ IpProtocol: ipProtocol, FromPort: fromPort, ToPort: toPort, ...peers }],
        TagSpecifications: [{ ResourceType: "security-group-rule", Tags: tagList(wanted.tags) }],
      });
      return answer.SecurityGroupRules[0].SecurityGroupRuleId;
    },
    async live(id) {
      const answer = await orGone(ec2("DescribeSecurityGroupRules", { SecurityGroupRuleIds: [id] }));
      const [found] = answer?.SecurityGroupRules ?? [];
      if (found === undefined) return undefined;
      const { GroupId, Description, CidrIpv4, ReferencedGroupInfo, IpProtocol, FromPort, ToPort, Tags } = found;
      return {
        inputs: {
          ...{ securityGroupId: GroupId, description: Description, cidrIpv4: CidrIpv4 },
          referencedSecurityGroupId: ReferencedGroupInfo?.GroupId,
          ...{ ipProtocol: IpProtocol, fromPort: FromPort, toPort: ToPort, tags: tagsOf(Tags) },
        },
      };
    },
    update: { tags },
    delete: (id, { securityGroupId }) =>
      ec2(`RevokeSecurityGroup${direction}`, { GroupId: securityGroupId, SecurityGroupRuleIds: [id] }),
  });
  return {
    "aws:ec2/securityGroup:SecurityGroup": {
      autonamed: true,
      inputs: ["name", "vpcId", "description", "tags"],
      async create({ name, vpcId, description, tags: given }) {
        const { GroupId } = await ec2("CreateSecurityGroup", {
          ...{ GroupName: name, VpcId: vpcId, Description: description },
          TagSpecifications: [{ ResourceType: "security-group", Tags: tagList(given) }],
        });
        // As the provider does: a new group may call everybody until that is taken away.
        const { SecurityGroups } = await ec2("DescribeSecurityGroups", { GroupIds: [GroupId] });
        const IpPermissions = SecurityGroups[0].IpPermissionsEgress;
        if (IpPermissions.length > 0) await ec2("RevokeSecurityGroupEgress", { GroupId, IpPermissions });
        return GroupId;
      },
      async live(id) {
        const answer = await orGone(ec2("DescribeSecurityGroups", { GroupIds: [id] }));
        if (answer === undefined) return undefined;
        const [{ GroupName, VpcId, Description, Tags }] = answer.SecurityGroups;
        return { inputs: { name: GroupName, vpcId: VpcId, description: Description, tags: tagsOf(Tags) } };
      },
      update: { tags },
      delete: (id) => ec2("DeleteSecurityGroup", { GroupId: id }),
    },
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": rule("Ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": rule("Egress"),
  };
}
