import { type Answer, type AwsApi, orGone } from "./api.ts";
import { capitalised, type Described, goneTags, lowered, tagList, tagsOf } from "./kind.ts";

/** Application Auto Scaling, and Cloud Map, in which fleets are found. */
export function scalingKinds(api: AwsApi): Record<string, Described> {
  const scaling = (action: string, params: object) => api.call("application-autoscaling", action, params);
  const map = (action: string, params: object) => api.call("servicediscovery", action, params);
  const place = ({ serviceNamespace, resourceId, scalableDimension }: Answer) =>
    capitalised({ serviceNamespace, resourceId, scalableDimension });
  const register = (_id: string, inputs: Answer) =>
    scaling("RegisterScalableTarget", { ...place(inputs), ...capitalised(bounds(inputs)) });
  const targetOf = async ({ serviceNamespace, resourceId }: Answer): Promise<Answer> => {
    const wanted = { ServiceNamespace: serviceNamespace, ResourceIds: [resourceId] };
    return (await scaling("DescribeScalableTargets", wanted)).ScalableTargets[0];
  };
  const policyParams = ({ name, policyType, targetTrackingScalingPolicyConfiguration, ...inputs }: Answer) => {
    const { predefinedMetricSpecification, customizedMetricSpecification, ...rest } =
      targetTrackingScalingPolicyConfiguration;
    const metric = capitalised({ predefinedMetricSpecification, customizedMetricSpecification });
    return {
      ...{ ...place(inputs), PolicyName: name, PolicyType: policyType },
      TargetTrackingScalingPolicyConfiguration: { ...capitalised(rest), ...metric },
    };
  };
  const mapTags = async (ResourceARN: string, news: Answer, olds: Answer) => {
    const TagKeys = goneTags(olds, news);
    if (TagKeys.length > 0) await map("UntagResource", { ResourceARN, TagKeys });
    await map("TagResource", { ResourceARN, Tags: tagList(news.tags) });
  };
  const mapTagsAt = async (ResourceARN: string) => tagsOf((await map("ListTagsForResource", { ResourceARN })).Tags);
  return {
    "aws:appautoscaling/target:Target": {
      inputs: ["resourceId", "scalableDimension", "serviceNamespace", "minCapacity", "maxCapacity", "tags"],
      async create(inputs) {
        const wanted = { ...place(inputs), ...capitalised(bounds(inputs)), Tags: inputs.tags };
        await scaling("RegisterScalableTarget", wanted);
        return inputs.resourceId;
      },
      async live(_id, known) {
        const target = await targetOf(known);
        if (target === undefined) return undefined;
        const { MinCapacity, MaxCapacity, ScalableTargetARN } = target;
        return { inputs: { minCapacity: MinCapacity, maxCapacity: MaxCapacity }, outputs: { arn: ScalableTargetARN } };
      },
      update: {
        ...{ minCapacity: register, maxCapacity: register },
        // moto has no tags of targets: that they are a right question is all that is checked of them.
        tags: (_id, news, olds) =>
          api.check("application-autoscaling", "TagResource", { ResourceARN: olds.arn, Tags: news.tags }),
      },
      delete: (_id, known) => scaling("DeregisterScalableTarget", place(known)),
    },
    "aws:appautoscaling/policy:Policy": {
      autonamed: true,
      inputs: [
        ...["name", "resourceId", "scalableDimension", "serviceNamespace", "policyType"],
        "targetTrackingScalingPolicyConfiguration",
      ],
      async create(inputs) {
        await scaling("PutScalingPolicy", policyParams(inputs));
        return inputs.name;
      },
      async live(id, { serviceNamespace, resourceId }) {
        const wanted = { ServiceNamespace: serviceNamespace, ResourceId: resourceId };
        const { ScalingPolicies } = await scaling("DescribeScalingPolicies", wanted);
        const policy = ScalingPolicies.find(({ PolicyName }: Answer) => PolicyName === id);
        if (policy === undefined) return undefined;
        return {
          inputs: {
            targetTrackingScalingPolicyConfiguration: lowered(policy.TargetTrackingScalingPolicyConfiguration),
          },
          outputs: { arn: policy.PolicyARN },
        };
      },
      update: {
        targetTrackingScalingPolicyConfiguration: (_id, news) => scaling("PutScalingPolicy", policyParams(news)),
      },
      delete: (id, known) => scaling("DeleteScalingPolicy", { ...place(known), PolicyName: id }),
    },
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": {
      inputs: ["name", "vpc", "tags"],
      async create({ name, vpc, tags }) {
        const { OperationId } = await map("CreatePrivateDnsNamespace", { Name: name, Vpc: vpc, Tags: tagList(tags) });
        return (await map("GetOperation", { OperationId })).Operation.Targets.NAMESPACE;
      },
      async live(id) {
        const answer = await orGone(map("GetNamespace", { Id: id }));
        if (answer === undefined) return undefined;
        const { Name, Arn } = answer.Namespace;
        return { inputs: { name: Name, tags: await mapTagsAt(Arn) }, outputs: { arn: Arn } };
      },
      update: { tags: (_id, news, olds) => mapTags(olds.arn, news, olds) },
      delete: (id) => map("DeleteNamespace", { Id: id }),
    },
    "aws:servicediscovery/service:Service": {
      inputs: ["name", "dnsConfig", "tags"],
      async create({ name, dnsConfig, tags }) {
        const { namespaceId, routingPolicy, dnsRecords } = dnsConfig;
        const records = dnsRecords.map(({ type, ttl }: Answer) => ({ Type: type, TTL: ttl }));
        const answer = await map("CreateService", {
          ...{ Name: name, NamespaceId: namespaceId, Tags: tagList(tags) },
          DnsConfig: { RoutingPolicy: routingPolicy, DnsRecords: records },
        });
        return answer.Service.Id;
      },
      async live(id) {
        const answer = await orGone(map("GetService", { Id: id }));
        if (answer === undefined) return undefined;
        const { Name, Arn, NamespaceId, DnsConfig } = answer.Service;
        const dnsRecords = DnsConfig.DnsRecords.map(({ Type, TTL }: Answer) => ({ type: Type, ttl: TTL }));
        const dnsConfig = { namespaceId: NamespaceId, routingPolicy: DnsConfig.RoutingPolicy, dnsRecords };
        return { inputs: { name: Name, dnsConfig, tags: await mapTagsAt(Arn) }, outputs: { arn: Arn } };
      },
      update: { tags: (_id, news, olds) => mapTags(olds.arn, news, olds) },
      delete: (id) => map("DeleteService", { Id: id }),
    },
  };
}

const bounds = ({ minCapacity, maxCapacity }: Answer) => ({ minCapacity, maxCapacity });
