import { type Answer, type AwsApi, orGone } from "./api.ts";
import { capitalised, type Described, goneTags, lowered, tagList, tagsOf } from "./kind.ts";

/** Load balancers, target groups and listeners. */
export function balancingKinds(api: AwsApi): Record<string, Described> {
  const elb = (action: string, params: object) => api.call("elbv2", action, params);
  const tags = async (id: string, news: Answer, olds: Answer) => {
    const TagKeys = goneTags(olds, news);
    if (TagKeys.length > 0) await elb("RemoveTags", { ResourceArns: [id], TagKeys });
    await elb("AddTags", { ResourceArns: [id], Tags: tagList(news.tags) });
  };
  const tagsAt = async (id: string) =>
    tagsOf((await elb("DescribeTags", { ResourceArns: [id] })).TagDescriptions[0]?.Tags);
  const balancerAttributes = (LoadBalancerArn: string, inputs: Answer) =>
    elb("ModifyLoadBalancerAttributes", { LoadBalancerArn, Attributes: attributes(balancerKeys, inputs) });
  const groupAttributes = (TargetGroupArn: string, { stickiness, ...inputs }: Answer) =>
    elb("ModifyTargetGroupAttributes", {
      TargetGroupArn,
      Attributes: [
        ...attributes(groupKeys, inputs),
        { Key: "stickiness.enabled", Value: String(stickiness.enabled) },
        { Key: "stickiness.type", Value: stickiness.type },
      ],
    });
  return {
    "aws:lb/loadBalancer:LoadBalancer": {
      autonamed: true,
      inputs: [
        ...["name", "loadBalancerType", "internal", "subnets", "securityGroups", "idleTimeout", "tags"],
        ...["dropInvalidHeaderFields", "desyncMitigationMode", "enableDeletionProtection"],
      ],
      async create({ name, loadBalancerType, internal, subnets, securityGroups, tags: given, ...rest }) {
        const answer = await elb("CreateLoadBalancer", {
          ...{ Name: name, Type: loadBalancerType, Scheme: internal ? "internal" : "internet-facing" },
          ...{ Subnets: subnets, SecurityGroups: securityGroups, Tags: tagList(given) },
        });
        const id = answer.LoadBalancers[0].LoadBalancerArn;
        await balancerAttributes(id, rest);
        return id;
      },
      async live(id) {
        const answer = await orGone(elb("DescribeLoadBalancers", { LoadBalancerArns: [id] }));
        const [balancer] = answer?.LoadBalancers ?? [];
        if (balancer === undefined) return undefined;
        const { Attributes } = await elb("DescribeLoadBalancerAttributes", { LoadBalancerArn: id });
        const { LoadBalancerName, Type, Scheme, SecurityGroups, DNSName, CanonicalHostedZoneId } = balancer;
        return {
          inputs: {
            ...{ name: LoadBalancerName, loadBalancerType: Type, internal: Scheme === "internal" },
            ...{ securityGroups: SecurityGroups, tags: await tagsAt(id), ...read(balancerKeys, Attributes) },
          },
          outputs: { arn: id, dnsName: DNSName, zoneId: CanonicalHostedZoneId },
        };
      },
      update: { tags, ...Object.fromEntries(Object.keys(balancerKeys).map((key) => [key, balancerAttributes])) },
      delete: (id) => elb("DeleteLoadBalancer", { LoadBalancerArn: id }),
    },
    "aws:lb/targetGroup:TargetGroup": {
      autonamed: true,
      inputs: [
        ...["name", "vpcId", "targetType", "protocol", "port", "deregistrationDelay", "stickiness", "healthCheck"],
        "tags",
      ],
      async create({ name, vpcId, targetType, protocol, port, healthCheck, tags: given, ...rest }) {
        const answer = await elb("CreateTargetGroup", {
          ...{ Name: name, VpcId: vpcId, TargetType: targetType, Protocol: protocol, Port: port },
          ...{ ...healthParams(healthCheck), Tags: tagList(given) },
        });
        const id = answer.TargetGroups[0].TargetGroupArn;
        await groupAttributes(id, rest);
        return id;
      },
      async live(id) {
        const answer = await orGone(elb("DescribeTargetGroups", { TargetGroupArns: [id] }));
        const [group] = answer?.TargetGroups ?? [];
        if (group === undefined) return undefined;
        const { Attributes } = await elb("DescribeTargetGroupAttributes", { TargetGroupArn: id });
        const { TargetGroupName, VpcId, TargetType, Protocol, Port } = group;
        const healthCheck = {
          ...{ path: group.HealthCheckPath, matcher: group.Matcher.HttpCode },
          ...{ interval: group.HealthCheckIntervalSeconds, timeout: group.HealthCheckTimeoutSeconds },
          ...{ healthyThreshold: group.HealthyThresholdCount, unhealthyThreshold: group.UnhealthyThresholdCount },
        };
        return {
          inputs: {
            ...{ name: TargetGroupName, vpcId: VpcId, targetType: TargetType, protocol: Protocol, port: Port },
            ...{ healthCheck, tags: await tagsAt(id), ...read(groupKeys, Attributes) },
          },
          outputs: { arn: id, arnSuffix: id.split(":").at(-1) },
        };
      },
      update: {
        ...{ tags, deregistrationDelay: groupAttributes, stickiness: groupAttributes },
        healthCheck: (id, { healthCheck }) =>
          elb("ModifyTargetGroup", { TargetGroupArn: id, ...healthParams(healthCheck) }),
      },
      delete: (id) => elb("DeleteTargetGroup", { TargetGroupArn: id }),
    },
    "aws:lb/listener:Listener": {
      inputs: ["loadBalancerArn", "port", "protocol", "sslPolicy", "certificateArn", "defaultActions", "tags"],
      async create({ loadBalancerArn, port, protocol, sslPolicy, certificateArn, defaultActions, tags: given }) {
        const answer = await elb("CreateListener", {
          ...{ LoadBalancerArn: loadBalancerArn, Port: port, Protocol: protocol, Tags: tagList(given) },
          ...{ DefaultActions: actionParams(defaultActions), ...tlsParams(sslPolicy, certificateArn) },
        });
        return answer.Listeners[0].ListenerArn;
      },
      async live(id) {
        const answer = await orGone(elb("DescribeListeners", { ListenerArns: [id] }));
        const [listener] = answer?.Listeners ?? [];
        if (listener === undefined) return undefined;
        const { LoadBalancerArn, Port, Protocol, SslPolicy, Certificates, DefaultActions } = listener;
        const defaultActions = DefaultActions.map(({ Type, TargetGroupArn, RedirectConfig }: Answer) => ({
          type: Type,
          ...(TargetGroupArn === undefined ? {} : { targetGroupArn: TargetGroupArn }),
          ...(RedirectConfig === undefined ? {} : { redirect: redirectOf(RedirectConfig) }),
        }));
        return {
          inputs: {
            ...{ loadBalancerArn: LoadBalancerArn, port: Port, protocol: Protocol, sslPolicy: SslPolicy },
            ...{ certificateArn: Certificates?.[0]?.CertificateArn, defaultActions, tags: await tagsAt(id) },
          },
          outputs: { arn: id },
        };
      },
      update: {
        tags,
        certificateArn: (id, { sslPolicy, certificateArn }) =>
          elb("ModifyListener", { ListenerArn: id, ...tlsParams(sslPolicy, certificateArn) }),
        defaultActions: (id, { defaultActions }) =>
          elb("ModifyListener", { ListenerArn: id, DefaultActions: actionParams(defaultActions) }),
      },
      delete: (id) => elb("DeleteListener", { ListenerArn: id }),
    },
    "aws:lb/listenerRule:ListenerRule": {
      inputs: ["listenerArn", "priority", "conditions", "actions", "tags"],
      async create({ listenerArn, priority, conditions, actions, tags: given }) {
        const answer = await elb("CreateRule", {
          ...{ ListenerArn: listenerArn, Priority: priority, Tags: tagList(given) },
          ...{ Conditions: conditions.map(pathParams), Actions: actions.map(forwardParams) },
        });
        return answer.Rules[0].RuleArn;
      },
      async live(id) {
        const answer = await orGone(elb("DescribeRules", { RuleArns: [id] }));
        const [rule] = answer?.Rules ?? [];
        if (rule === undefined) return undefined;
        return {
          inputs: {
            ...{ priority: Number(rule.Priority), actions: rule.Actions.map(forwardOf), tags: await tagsAt(id) },
            conditions: rule.Conditions.map((one: Answer) => ({ pathPattern: { values: valuesOf(one) } })),
          },
          outputs: { arn: id },
        };
      },
      update: { tags },
      delete: (id) => elb("DeleteRule", { RuleArn: id }),
    },
  };
}

const balancerKeys: Readonly<Record<string, string>> = {
  idleTimeout: "idle_timeout.timeout_seconds",
  dropInvalidHeaderFields: "routing.http.drop_invalid_header_fields.enabled",
  desyncMitigationMode: "routing.http.desync_mitigation_mode",
  enableDeletionProtection: "deletion_protection.enabled",
};
const groupKeys: Readonly<Record<string, string>> = { deregistrationDelay: "deregistration_delay.timeout_seconds" };

/** Inputs as AWS's lists of attributes, which are all texts. */
const attributes = (keys: Readonly<Record<string, string>>, inputs: Answer) =>
  Object.entries(keys)
    .filter(([input]) => inputs[input] !== undefined)
    .map(([input, Key]) => ({ Key, Value: String(inputs[input]) }));

function read(keys: Readonly<Record<string, string>>, list: Answer[]): Record<string, unknown> {
  const found = new Map(list.map(({ Key, Value }) => [Key, Value]));
  const typed = (text: string) =>
    /^\d+$/.test(text) ? Number(text) : /^(true|false)$/.test(text) ? text === "true" : text;
  return Object.fromEntries(
    Object.entries(keys).flatMap(([input, key]) => (found.has(key) ? [[input, typed(found.get(key))]] : [])),
  );
}

const healthParams = ({ path, matcher, interval, timeout, healthyThreshold, unhealthyThreshold }: Answer) => ({
  ...{ HealthCheckPath: path, Matcher: { HttpCode: matcher }, HealthCheckIntervalSeconds: interval },
  ...{ HealthCheckTimeoutSeconds: timeout, HealthyThresholdCount: healthyThreshold },
  UnhealthyThresholdCount: unhealthyThreshold,
});
const actionParams = (actions: Answer[]) =>
  actions.map(({ redirect, ...action }) => ({
    ...capitalised(action),
    ...(redirect === undefined ? {} : { RedirectConfig: capitalised(redirect) }),
  }));
const redirectOf = ({ Protocol, Port, StatusCode }: Answer) => lowered({ Protocol, Port, StatusCode });
const tlsParams = (sslPolicy: string | undefined, certificateArn: string | undefined) =>
  certificateArn === undefined ? {} : { SslPolicy: sslPolicy, Certificates: [{ CertificateArn: certificateArn }] };
const pathParams = ({ pathPattern }: Answer) => ({
  Field: "path-pattern",
  PathPatternConfig: { Values: pathPattern.values },
});
const valuesOf = ({ PathPatternConfig, Values }: Answer) => PathPatternConfig?.Values ?? Values;
const forwardParams = ({ type, forward }: Answer) => ({
  Type: type,
  ForwardConfig: {
    TargetGroups: forward.targetGroups.map(({ arn, weight }: Answer) => ({ TargetGroupArn: arn, Weight: weight })),
  },
});
const forwardOf = ({ Type, ForwardConfig }: Answer) => ({
  type: Type,
  forward: {
    targetGroups: ForwardConfig.TargetGroups.map((group: Answer) => ({
      ...{ arn: group.TargetGroupArn, weight: group.Weight },
    })),
  },
});
