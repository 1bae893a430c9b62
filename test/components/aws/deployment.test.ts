import { expect, test } from "@jest/globals";
import type { GatewayDeploymentArgs } from "../../../components/aws/args.ts";
import { deploymentArgs, deploymentProblems, shiftMinutes } from "../../../components/aws/deployment.ts";
import { MCPGateway, MCPNetwork, MCPServerFleet } from "../../../index.ts";
import { awsCloud } from "../../support/aws-cloud.ts";
import { type GraphNode, graphOf } from "../../support/graph.ts";

const both = { deploymentMinimumHealthyPercent: 100, deploymentMaximumPercent: 200 };
const breaker = {
  deploymentConfiguration: { strategy: "ROLLING" },
  deploymentCircuitBreaker: { enable: true, rollback: true },
};
const noBreaker = { deploymentCircuitBreaker: { enable: false, rollback: false } };

test.each<[GatewayDeploymentArgs | undefined, object, number]>([
  [undefined, breaker, 0],
  [{}, breaker, 0],
  [{ strategy: "rolling" }, breaker, 0],
  [
    { strategy: "blue-green", bakeMinutes: 0 },
    { ...noBreaker, deploymentConfiguration: { strategy: "BLUE_GREEN", bakeTimeInMinutes: "0" } },
    0,
  ],
  [
    { strategy: "canary" },
    {
      ...noBreaker,
      deploymentConfiguration: {
        ...{ strategy: "CANARY", bakeTimeInMinutes: "5" },
        canaryConfiguration: { canaryPercent: 10, canaryBakeTimeInMinutes: "5" },
      },
    },
    10,
  ],
  [
    { strategy: "linear", percent: 30, stepMinutes: 2, bakeMinutes: 1 },
    {
      ...noBreaker,
      deploymentConfiguration: {
        ...{ strategy: "LINEAR", bakeTimeInMinutes: "1" },
        linearConfiguration: { stepPercent: 30, stepBakeTimeInMinutes: "2" },
      },
    },
    9,
  ],
])("%j", (deployment, expected, minutes) => {
  expect(deploymentArgs(deployment, undefined)).toEqual({ ...both, ...expected });
  expect(shiftMinutes(deployment)).toBe(minutes);
});

test("an alarm brings the old version back, whatever the strategy", () => {
  const alarms = { alarmNames: ["slow"], enable: true, rollback: true };
  expect(deploymentArgs(undefined, ["slow"])).toEqual({ ...both, ...breaker, alarms });
  expect(deploymentArgs({ strategy: "canary" }, ["slow"])).toMatchObject({ alarms });
});

test("what a strategy has no use for is refused", () => {
  expect(deploymentProblems({ strategy: "canary", percent: 5, stepMinutes: 1, bakeMinutes: 1 })).toEqual([]);
  expect(deploymentProblems({ percent: 5, bakeMinutes: 1 })).toEqual([
    'aws.deployment.percent is given, but strategy is "rolling"; remove it, or set strategy to canary or linear',
    'aws.deployment.bakeMinutes is given, but strategy is "rolling"; remove it, or set strategy to blue-green or canary or linear',
  ]);
  expect(deploymentProblems({ strategy: "blue-green", stepMinutes: 5 })).toEqual([
    'aws.deployment.stepMinutes is given, but strategy is "blue-green"; remove it, or set strategy to canary or linear',
  ]);
});

const gatewayWith = (environment: MCPNetwork, aws: object) =>
  new MCPGateway("gateway", {
    ...{ platform: "aws", container: { image: "mcp-fleet:1" } },
    fleets: [{ serverName: "remote", configuration: '{"type":"custom","endpoints":["http://a/mcp"]}' }],
    auth: { bearerTokens: [{ name: "ada", token: "file:/run/secrets/mcp-fleet/ada" }] },
    session: { keys: [{ id: "k1", key: "file:/run/secrets/mcp-fleet/session" }] },
    secrets: { ada: "a", session: "s" },
    aws: {
      ...{ environment, host: "mcp.example.com", certificateArn: "arn:aws:acm:::c", ingressCidrs: ["10.0.0.0/8"] },
      ...aws,
    },
  });

test("a canary has a second target group, the rule whose weights ECS moves, and the role by which only ECS may", async () => {
  const graph = await graphOf(
    () => {
      const environment = new MCPNetwork("network", {});
      new MCPServerFleet("notes", {
        ...{ platform: "aws", type: "custom", container: { image: "notes:1", command: "notes" } },
        aws: { environment, rollbackAlarmNames: ["slow"] },
      });
      gatewayWith(environment, { deployment: { strategy: "canary" } });
    },
    [],
    awsCloud,
  );
  const inputs = (name: string) => (graph.find((one) => one.name === name) as GraphNode).inputs;
  const arn = (name: string) => `arn:aws:test:::${name}`;
  expect(inputs("gateway-tg2")).toEqual(inputs("gateway-tg"));
  expect(inputs("gateway-calls")).toMatchObject({
    ...{ listenerArn: arn("gateway-https"), priority: 1, conditions: [{ pathPattern: { values: ["/*"] } }] },
    actions: [
      {
        type: "forward",
        forward: {
          targetGroups: [
            { arn: arn("gateway-tg"), weight: 100 },
            { arn: arn("gateway-tg2"), weight: 0 },
          ],
        },
      },
    ],
  });
  const trust = JSON.parse(inputs("gateway-shift-role").assumeRolePolicy as string);
  expect(trust.Statement).toEqual([
    {
      ...{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "ecs.amazonaws.com" } },
      Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } },
    },
  ]);
  const [loadBalancer] = inputs("gateway-service").loadBalancers as object[];
  expect(loadBalancer).toEqual({
    ...{ targetGroupArn: arn("gateway-tg"), containerName: "gateway", containerPort: 8080 },
    advancedConfiguration: {
      alternateTargetGroupArn: arn("gateway-tg2"),
      productionListenerRule: arn("gateway-calls"),
      roleArn: arn("gateway-shift-role"),
    },
  });
  expect(inputs("gateway-service").deploymentCircuitBreaker).toEqual({ enable: false, rollback: false });
  expect(graph.find(({ name }) => name === "gateway-tg2")?.aliases).toContain("gateway-targets-next");
  const { dependsOn } = graph.find(({ name }) => name === "gateway-service") as GraphNode;
  expect(dependsOn).toEqual(expect.arrayContaining(["gateway-calls", "gateway-shift-policy"]));
  expect(inputs("notes-service")).toMatchObject({ alarms: { alarmNames: ["slow"], enable: true, rollback: true } });
  const left = (name: string) => graph.find((one) => one.name === name)?.ignoreChanges;
  expect([left("notes-service"), left("gateway-service")]).toEqual([["desiredCount"], ["desiredCount", "alarms"]]);
});

test.each([
  [{ strategy: "big-bang" }, 'aws.deployment.strategy: is "big-bang"; give one of rolling, blue-green, canary, linear'],
  [{ strategy: "canary", percent: 1 }, "aws.deployment.percent"],
  [{ percent: 5 }, 'aws.deployment.percent is given, but strategy is "rolling"'],
])("refused at preview: %j", async (deployment, problem) => {
  const program = () => gatewayWith(new MCPNetwork("network", {}), { deployment });
  await expect(graphOf(program, [], awsCloud)).rejects.toThrow(problem);
});
