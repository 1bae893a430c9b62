import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import type { FleetAwsArgs, GatewayAwsArgs } from "./args.ts";
import { awsDefaults as defaults } from "./defaults.ts";
import { deploymentArgs, shiftMinutes } from "./deployment.ts";
import type { Aws } from "./sdk.ts";
import type { TaskObjects } from "./task.ts";
import { tagsOf, type Workload } from "./workload.ts";

/** How calls reach a service. */
export interface ServiceFront {
  readonly securityGroups: pulumi.Input<pulumi.Input<string>[]>;
  readonly loadBalancers?: aws.ecs.ServiceArgs["loadBalancers"];
  readonly serviceRegistries?: aws.ecs.ServiceArgs["serviceRegistries"];
  /** What must be there before the first task. */
  readonly needs: pulumi.Resource[];
}

/** The arguments of a workload's ECS service. */
export function serviceArgs(
  workload: Workload,
  definition: pulumi.Input<string>,
  desiredCount: pulumi.Input<number>,
  front: ServiceFront,
): aws.ecs.ServiceArgs {
  const { environment, spot, deployment, rollbackAlarmNames } = workload.block as FleetAwsArgs & GatewayAwsArgs;
  const { securityGroups, loadBalancers, serviceRegistries } = front;
  return {
    cluster: environment.clusterArn,
    taskDefinition: definition,
    desiredCount,
    capacityProviderStrategies: [{ capacityProvider: capacityOf(spot), weight: 1, base: 0 }],
    // Without it the provider refuses another capacity provider, or replaces the service, by its version.
    forceNewDeployment: true,
    networkConfiguration: { subnets: environment.privateSubnetIds, securityGroups, assignPublicIp: false },
    ...deploymentArgs(deployment, rollbackAlarmNames),
    availabilityZoneRebalancing: "ENABLED",
    enableEcsManagedTags: true,
    propagateTags: "SERVICE",
    enableExecuteCommand: false,
    // An update ends when the new tasks serve, or have been rolled back.
    waitForSteadyState: true,
    ...(loadBalancers === undefined ? {} : { loadBalancers, healthCheckGracePeriodSeconds: defaults.startSeconds }),
    ...(serviceRegistries === undefined ? {} : { serviceRegistries }),
    tags: tagsOf(workload),
  };
}

/** A workload's service; the autoscaler owns the number of its tasks from the first one on. */
export function serviceObject(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  task: TaskObjects,
  desiredCount: pulumi.Input<number>,
  front: ServiceFront,
): aws.ecs.Service {
  const { deployment, rollbackAlarmNames } = workload.block as GatewayAwsArgs;
  const shifting = shiftMinutes(deployment);
  const longest = `${defaults.serviceMinutes + shifting}m`;
  return new sdk.ecs.Service(
    `${name}-service`,
    serviceArgs(workload, task.definition.arn, desiredCount, front),
    childOf(parent)({
      // The provider cannot take alarms away, and would start a deployment with every update to try it again.
      ignoreChanges: ["desiredCount", ...(rollbackAlarmNames === undefined ? ["alarms"] : [])],
      dependsOn: [...task.needs, ...front.needs],
      ...(shifting === 0 ? {} : { customTimeouts: { create: longest, update: longest } }),
    }),
  );
}

function capacityOf(spot: pulumi.Input<boolean> | undefined): pulumi.Input<string> {
  if (spot === undefined || typeof spot === "boolean") return spot === true ? "FARGATE_SPOT" : "FARGATE";
  return pulumi.output(spot).apply((yes) => (yes ? "FARGATE_SPOT" : "FARGATE"));
}
