import { withoutUndefined } from "../../../../components/without-undefined.ts";
import { type Answer, type AwsApi, orGone } from "./api.ts";
import { covers, type Described, goneTags, lowTagList, tagsOf } from "./kind.ts";

/** Clusters, task definitions and services of ECS. No task runs behind this interface, so nothing waits for a steady state. */
export function containerKinds(api: AwsApi): Record<string, Described> {
  const ecs = (action: string, params: object) => api.call("ecs", action, params);
  const tags = async (resourceArn: string, news: Answer, olds: Answer) => {
    const tagKeys = goneTags(olds, news);
    if (tagKeys.length > 0) await ecs("UntagResource", { resourceArn, tagKeys });
    await ecs("TagResource", { resourceArn, tags: lowTagList(news.tags) });
  };
  const tagsAt = async (resourceArn: string) => tagsOf((await ecs("ListTagsForResource", { resourceArn })).tags);
  const capacity = (cluster: string, capacityProviders: string[]) =>
    ecs("PutClusterCapacityProviders", { cluster, capacityProviders, defaultCapacityProviderStrategy: [] });
  const clusterOf = async (name: string): Promise<Answer> => {
    const { clusters } = await ecs("DescribeClusters", { clusters: [name], include: ["SETTINGS"] });
    return clusters.find(({ status }: Answer) => status === "ACTIVE");
  };
  return {
    "aws:ecs/cluster:Cluster": {
      autonamed: true,
      inputs: ["name", "settings", "tags"],
      create: async ({ name, settings, tags: given }) =>
        (await ecs("CreateCluster", { clusterName: name, settings, tags: lowTagList(given) })).cluster.clusterArn,
      async live(id) {
        const cluster = await clusterOf(id);
        if (cluster === undefined) return undefined;
        const { clusterName, settings } = cluster;
        return { inputs: { name: clusterName, settings, tags: await tagsAt(id) }, outputs: { arn: id } };
      },
      update: { tags },
      delete: (id) => ecs("DeleteCluster", { cluster: id }),
    },
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": {
      inputs: ["clusterName", "capacityProviders"],
      async create({ clusterName, capacityProviders }) {
        await capacity(clusterName, capacityProviders);
        return clusterName;
      },
      async live(id) {
        const cluster = await clusterOf(id);
        return cluster === undefined ? undefined : { inputs: { capacityProviders: cluster.capacityProviders } };
      },
      update: { capacityProviders: (id, news) => capacity(id, news.capacityProviders) },
      delete: (id) => capacity(id, []),
    },
    "aws:ecs/taskDefinition:TaskDefinition": {
      inputs: [
        ...["family", "requiresCompatibilities", "networkMode", "cpu", "memory", "runtimePlatform", "executionRoleArn"],
        ...["taskRoleArn", "volumes", "containerDefinitions", "tags"],
      ],
      async create({ containerDefinitions, tags: given, ...rest }) {
        const answer = await ecs("RegisterTaskDefinition", {
          ...{ ...rest, containerDefinitions: JSON.parse(containerDefinitions), tags: lowTagList(given) },
        });
        return answer.taskDefinition.taskDefinitionArn;
      },
      async live(id, { containerDefinitions }) {
        const answer = await orGone(ecs("DescribeTaskDefinition", { taskDefinition: id, include: ["TAGS"] }));
        if (answer === undefined || answer.taskDefinition.status !== "ACTIVE") return undefined;
        const { taskDefinitionArn: arn, revision, family, cpu, memory } = answer.taskDefinition;
        const { containerDefinitions: live } = answer.taskDefinition;
        const text = covers(live, JSON.parse(containerDefinitions)) ? containerDefinitions : JSON.stringify(live);
        return {
          inputs: { family, cpu, memory, containerDefinitions: text, tags: tagsOf(answer.tags) },
          outputs: { arn, revision },
        };
      },
      update: { tags },
      delete: (id) => ecs("DeregisterTaskDefinition", { taskDefinition: id }),
    },
    "aws:ecs/service:Service": {
      autonamed: true,
      inputs: [
        ...["name", "cluster", "taskDefinition", "desiredCount", "capacityProviderStrategies", "networkConfiguration"],
        ...["deploymentMinimumHealthyPercent", "deploymentMaximumPercent", "deploymentCircuitBreaker"],
        ...[
          "forceNewDeployment",
          "availabilityZoneRebalancing",
          "enableEcsManagedTags",
          "propagateTags",
          "enableExecuteCommand",
        ],
        ...[
          "deploymentConfiguration",
          "alarms",
          "waitForSteadyState",
          "loadBalancers",
          "healthCheckGracePeriodSeconds",
          "serviceRegistries",
          "tags",
        ],
      ],
      async create({ name, serviceRegistries, waitForSteadyState: _, forceNewDeployment: __, tags: given, ...inputs }) {
        const answer = await ecs("CreateService", {
          ...{ ...serviceParams(inputs), serviceName: name, tags: lowTagList(given) },
          ...(serviceRegistries === undefined ? {} : { serviceRegistries: [serviceRegistries] }),
        });
        return answer.service.serviceArn;
      },
      async live(id, { cluster }) {
        const answer = await orGone(ecs("DescribeServices", { cluster, services: [id], include: ["TAGS"] }));
        const service = answer?.services.find(({ status }: Answer) => status === "ACTIVE");
        if (service === undefined) return undefined;
        const { serviceName, taskDefinition, desiredCount, loadBalancers } = service;
        return {
          inputs: { name: serviceName, taskDefinition, desiredCount, loadBalancers, tags: tagsOf(service.tags) },
          outputs: { arn: id },
        };
      },
      update: {
        tags,
        ...Object.fromEntries(
          [
            ...["taskDefinition", "desiredCount", "capacityProviderStrategies", "networkConfiguration"],
            ...["deploymentMinimumHealthyPercent", "deploymentMaximumPercent", "deploymentCircuitBreaker"],
            ...["deploymentConfiguration", "alarms", "loadBalancers", "forceNewDeployment"],
          ].map((key) => [key, updateService]),
        ),
      },
      async delete(id, { cluster }) {
        await ecs("UpdateService", { cluster, service: id, desiredCount: 0 });
        await ecs("DeleteService", { cluster, service: id, force: true });
      },
    },
  };

  function updateService(
    id: string,
    { cluster, taskDefinition, desiredCount, forceNewDeployment, ...news }: Answer,
  ): Promise<Answer> {
    const { deploymentConfiguration, networkConfiguration, capacityProviderStrategy, loadBalancers } =
      serviceParams(news);
    const rest = { deploymentConfiguration, networkConfiguration, capacityProviderStrategy, loadBalancers };
    return ecs("UpdateService", { cluster, service: id, taskDefinition, desiredCount, forceNewDeployment, ...rest });
  }
}

/** A service's inputs in the words of ECS. */
function serviceParams({
  networkConfiguration,
  capacityProviderStrategies,
  deploymentMinimumHealthyPercent: minimumHealthyPercent,
  deploymentMaximumPercent: maximumPercent,
  deploymentCircuitBreaker,
  deploymentConfiguration,
  alarms,
  enableEcsManagedTags: enableECSManagedTags,
  ...rest
}: Answer): Answer {
  const { assignPublicIp, subnets, securityGroups } = networkConfiguration;
  return {
    ...rest,
    enableECSManagedTags,
    capacityProviderStrategy: capacityProviderStrategies,
    networkConfiguration: {
      awsvpcConfiguration: { subnets, securityGroups, assignPublicIp: assignPublicIp ? "ENABLED" : "DISABLED" },
    },
    deploymentConfiguration: withoutUndefined({
      ...{ minimumHealthyPercent, maximumPercent, deploymentCircuitBreaker, alarms },
      ...shiftParams(deploymentConfiguration),
    }),
  };
}

/** How calls are shifted; the provider has minutes as texts. */
function shiftParams({
  strategy,
  bakeTimeInMinutes,
  canaryConfiguration: canary,
  linearConfiguration: linear,
}: Answer = {}) {
  return {
    strategy,
    bakeTimeInMinutes: bakeTimeInMinutes && Number(bakeTimeInMinutes),
    canaryConfiguration: canary && { ...canary, canaryBakeTimeInMinutes: Number(canary.canaryBakeTimeInMinutes) },
    linearConfiguration: linear && { ...linear, stepBakeTimeInMinutes: Number(linear.stepBakeTimeInMinutes) },
  };
}
