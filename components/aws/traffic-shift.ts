import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { accountId } from "./looked-up.ts";
import { shiftTrust } from "./policies.ts";
import type { Aws } from "./sdk.ts";
import { tagsOf, type Workload } from "./workload.ts";

/** AWS's own policy for what ECS does to a load balancer while it shifts calls. */
const shiftPolicy = "arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers";

/** What ECS needs to shift calls from one version of a gateway to the next. */
export interface TrafficShift {
  readonly advancedConfiguration: {
    readonly alternateTargetGroupArn: pulumi.Input<string>;
    readonly productionListenerRule: pulumi.Input<string>;
    readonly roleArn: pulumi.Input<string>;
  };
  readonly needs: pulumi.Resource[];
}

/**
 * A second target group, the rule by which calls go to one or both, and the role that may change it ("Required resources for
 * Amazon ECS blue/green deployments", Amazon ECS developer guide).
 */
export function trafficShift(
  sdk: Aws,
  parent: pulumi.Resource,
  name: string,
  workload: Workload,
  https: aws.lb.Listener,
  groups: { readonly first: aws.lb.TargetGroup; readonly second: aws.lb.TargetGroup },
): TrafficShift {
  const child = childOf(parent);
  const tags = tagsOf(workload);
  const rule = new sdk.lb.ListenerRule(
    `${name}-calls`,
    {
      listenerArn: https.arn,
      priority: 1,
      conditions: [{ pathPattern: { values: ["/*"] } }],
      actions: [
        {
          type: "forward",
          forward: {
            targetGroups: [
              { arn: groups.first.arn, weight: 100 },
              { arn: groups.second.arn, weight: 0 },
            ],
          },
        },
      ],
      tags,
    },
    // ECS moves the weights with every new version.
    child({ ignoreChanges: ["actions"] }),
  );
  const trust = accountId(sdk, workload.component, parent).apply((id) => JSON.stringify(shiftTrust(id)));
  const role = new sdk.iam.Role(`${name}-shift-role`, { assumeRolePolicy: trust, tags }, child());
  const allowed = new sdk.iam.RolePolicyAttachment(
    `${name}-shift-policy`,
    { role: role.name, policyArn: shiftPolicy },
    child(),
  );
  return {
    advancedConfiguration: {
      alternateTargetGroupArn: groups.second.arn,
      productionListenerRule: rule.arn,
      roleArn: role.arn,
    },
    needs: [rule, allowed],
  };
}
