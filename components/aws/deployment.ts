import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { DeploymentStrategy, type GatewayDeploymentArgs } from "./args.ts";
import { awsDefaults as defaults } from "./defaults.ts";

type ServicePart = Pick<
  aws.ecs.ServiceArgs,
  "deploymentConfiguration" | "deploymentCircuitBreaker" | "alarms" | "deploymentMinimumHealthyPercent"
> & { deploymentMaximumPercent: number };

/** How a service takes over a new version, and what brings the old one back. */
export function deploymentArgs(
  deployment: GatewayDeploymentArgs | undefined,
  rollbackAlarmNames: pulumi.Input<pulumi.Input<string>[]> | undefined,
): ServicePart {
  return {
    // New tasks first: no call meets fewer than there should be.
    deploymentMinimumHealthyPercent: 100,
    deploymentMaximumPercent: 200,
    ...(rollbackAlarmNames === undefined
      ? {}
      : { alarms: { alarmNames: rollbackAlarmNames, enable: true, rollback: true } }),
    // The provider leaves a breaker and a strategy that are not declared as they were, so both are always said.
    ...(shifts(deployment)
      ? { deploymentConfiguration: shiftOf(deployment), deploymentCircuitBreaker: { enable: false, rollback: false } }
      : // It counts tasks that do not start in a rolling update, and has no use in another one.
        {
          deploymentConfiguration: { strategy: "ROLLING" },
          deploymentCircuitBreaker: { enable: true, rollback: true },
        }),
  };
}

/** Does the load balancer shift calls from the old version to the new one? */
export const shifts = (deployment: GatewayDeploymentArgs | undefined): deployment is GatewayDeploymentArgs =>
  (deployment?.strategy ?? DeploymentStrategy.Rolling) !== DeploymentStrategy.Rolling;

/** For how long an update goes on until all calls go to the new version and the old one has ended, in minutes. */
export function shiftMinutes(deployment: GatewayDeploymentArgs | undefined): number {
  if (!shifts(deployment)) return 0;
  const { strategy, percent, stepMinutes, bakeMinutes } = withDefaults(deployment);
  if (strategy === DeploymentStrategy.BlueGreen) return bakeMinutes;
  return bakeMinutes + stepMinutes * (strategy === DeploymentStrategy.Canary ? 1 : Math.ceil(100 / percent));
}

function shiftOf(deployment: GatewayDeploymentArgs): aws.ecs.ServiceArgs["deploymentConfiguration"] {
  const { strategy, percent, stepMinutes, bakeMinutes } = withDefaults(deployment);
  const bakeTimeInMinutes = String(bakeMinutes);
  if (strategy === DeploymentStrategy.Canary) {
    const canaryConfiguration = { canaryPercent: percent, canaryBakeTimeInMinutes: String(stepMinutes) };
    return { strategy: "CANARY", bakeTimeInMinutes, canaryConfiguration };
  }
  if (strategy === DeploymentStrategy.Linear) {
    const linearConfiguration = { stepPercent: percent, stepBakeTimeInMinutes: String(stepMinutes) };
    return { strategy: "LINEAR", bakeTimeInMinutes, linearConfiguration };
  }
  return { strategy: "BLUE_GREEN", bakeTimeInMinutes };
}

const withDefaults = ({ strategy, percent, stepMinutes, bakeMinutes }: GatewayDeploymentArgs) => ({
  strategy,
  percent: percent ?? defaults.shiftPercent,
  stepMinutes: stepMinutes ?? defaults.shiftStepMinutes,
  bakeMinutes: bakeMinutes ?? defaults.shiftBakeMinutes,
});

/** What is wrong with a deployment: field, value, fix. */
export function deploymentProblems(deployment: GatewayDeploymentArgs | undefined): string[] {
  const { strategy = DeploymentStrategy.Rolling, ...rest } = deployment ?? {};
  const steps = [DeploymentStrategy.Canary, DeploymentStrategy.Linear] as string[];
  const problems: string[] = [];
  for (const key of ["percent", "stepMinutes", "bakeMinutes"] as const) {
    const taken = key === "bakeMinutes" ? [DeploymentStrategy.BlueGreen, ...steps] : steps;
    if (rest[key] === undefined || taken.includes(strategy)) continue;
    const fix = `remove it, or set strategy to ${taken.join(" or ")}`;
    problems.push(`aws.deployment.${key} is given, but strategy is "${strategy}"; ${fix}`);
  }
  return problems;
}
