import { randomBytes } from "node:crypto";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { Checkout } from "../../support/checkout.ts";
import { engineFolder } from "../../support/engine-folder.ts";
import { Moto } from "../../support/moto.ts";
import { has } from "../../support/present.ts";
import { standIns } from "../../support/stand-ins.ts";
import { storyWith } from "../../support/story.ts";
import type { Answer } from "../stand-ins/aws/api.ts";
import { inventory } from "./inventory.ts";

// One story in order, under the real Pulumi engine: the stack `prod`, as it is committed but for its certificate. Behind it is
// AWS's interface as moto has it: it keeps and checks what it is told, and runs no task. Where the provider plugin cannot be
// had, a stand-in tells it what the components declare, by boto3.
const needs = ["a Pulumi engine", "moto, for AWS's interface (MOTO_PYTHON)"] as const;
const test = storyWith(...needs);
const able = needs.every((need) => has(need));
const root = join(import.meta.dirname, "../../..");
const secrets = { operator: `canary-${randomBytes(16).toString("hex")}`, session: randomBytes(32).toString("base64") };
const registry = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

let checkout: Checkout;
let aws: Moto;
let before: object;
let certificate: string;

beforeAll(async () => {
  if (!able) return;
  checkout = new Checkout({ modules: "shared" });
  aws = await Moto.start("eu-central-1");
  certificate = await aws.certificate("mcp.example.com");
  before = await inventory(aws);
  configure((gateway) => {
    gateway.aws = { ...(gateway.aws as object), certificateArn: certificate };
  });
  await pulumi("stack init prod");
  for (const [name, value] of Object.entries(secrets)) {
    await pulumi(`config set --stack prod --secret --path mcp-fleet:secrets.${name} ${value}`);
  }
});
afterAll(async () => {
  if (!able) return;
  await aws.close();
  checkout.close();
});

type Fleets = Record<string, Record<string, object>>;
function configure(change: (gateway: Record<string, unknown>, fleets: Fleets) => void): void {
  checkout.configure((config) => change(config["mcp-fleet:gateway"], config["mcp-fleet:fleets"] as Fleets), "prod");
}

/** Runs the real engine; rejects with what it said. */
async function pulumi(line: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const folders = [...standIns, engineFolder, join(root, "node_modules/node/bin")];
  const { code, out, err } = await checkout.run(`pulumi ${line} --non-interactive --color never`, {
    ...aws.env,
    PATH: [...folders, checkout.env.PATH].join(delimiter),
    PULUMI_BACKEND_URL: checkout.backend(),
    ...{ PULUMI_CONFIG_PASSPHRASE: "", PULUMI_SKIP_UPDATE_CHECK: "true", TS_NODE_CACHE: "false" },
    ...env,
  });
  if (code !== 0) throw new Error(`pulumi ${line}: ${out}\n${err}`);
  return out;
}
const up = () => pulumi("up --yes --skip-preview --stack prod");

/** What an update would do, by resource; what stays as it is is left out. */
async function planned(): Promise<Record<string, string[]>> {
  const { steps } = JSON.parse(await pulumi("preview --json --stack prod")) as { steps: { op: string; urn: string }[] };
  const plan: Record<string, string[]> = {};
  for (const { op, urn } of steps) {
    if (op !== "same") plan[urn.split("::").at(-1) as string] = [...(plan[urn.split("::").at(-1) as string] ?? []), op];
  }
  return plan;
}

/** The stack's services by the component that they belong to. */
async function services(): Promise<Record<string, Answer>> {
  const [cluster] = (await aws.call("ecs", "ListClusters")).clusterArns;
  const { serviceArns } = await aws.call("ecs", "ListServices", { cluster });
  const asked = { cluster, services: serviceArns, include: ["TAGS"] };
  const found = (await aws.call("ecs", "DescribeServices", asked)).services as Answer[];
  const component = ({ tags }: Answer) => tags.find(({ key }: Answer) => key === "mcp-fleet:component").value;
  return Object.fromEntries(found.map((service) => [component(service), service]));
}

async function container(service: Answer): Promise<Answer> {
  const { taskDefinition } = await aws.call("ecs", "DescribeTaskDefinition", {
    taskDefinition: service.taskDefinition,
  });
  return taskDefinition.containerDefinitions[0];
}
const ec2 = (action: string, ...filters: [name: string, value: string][]): Promise<Answer> =>
  aws.call("ec2", action, { Filters: filters.map(([Name, value]) => ({ Name, Values: [value] })) });

test("preview declares everything and makes nothing", async () => {
  expect(Object.keys(await planned())).toEqual(
    expect.arrayContaining(["network-vpc", "gateway-https", "everything-task"]),
  );
  expect(await inventory(aws)).toEqual(before);
});

test("without credentials a preview says what it needs, and no stack of calls", async () => {
  const none = {
    AWS_ACCESS_KEY_ID: "",
    AWS_SECRET_ACCESS_KEY: "",
    AWS_EC2_METADATA_DISABLED: "true",
    HOME: checkout.path,
  };
  const refused = await pulumi("preview --stack prod", none).catch(String);
  // Whichever is refused first.
  expect(refused).toMatch(
    /a preview asks AWS for its (account \(sts:GetCallerIdentity\)|zones \(ec2:DescribeAvailabilityZones\)) too, and had no answer; give credentials \(AWS_PROFILE,/,
  );
  expect(refused).not.toContain("looked-up.ts");
});

test("pulumi up makes services in private subnets, whose tasks can do nothing that they need not, and breaks no policy", async () => {
  // An update, because what a task is made of is not known before.
  const pack = join(checkout.path, "policy/mcp-fleet-policies");
  const out = await pulumi(`up --yes --skip-preview --policy-pack ${pack} --stack prod`);
  expect(/^Policies:\n\s*(\S+ mcp-fleet)@v/m.exec(out)?.[1]).toBe("✅ mcp-fleet");
  const all = await services();
  expect(Object.keys(all).sort()).toEqual(["everything", "gateway", "sequential"]);
  const { Subnets } = await ec2("DescribeSubnets", ["tag:Name", "network-private-*"]);
  for (const service of Object.values(all)) {
    const { subnets, assignPublicIp } = service.networkConfiguration.awsvpcConfiguration;
    expect([assignPublicIp, subnets]).toEqual(["DISABLED", Subnets.map(({ SubnetId }: Answer) => SubnetId)]);
    expect(service.desiredCount).toBe(2);
    expect(await container(service)).toMatchObject({
      ...{ user: "65532:65532", readonlyRootFilesystem: true, privileged: false },
      linuxParameters: { initProcessEnabled: true, capabilities: { drop: ["ALL"] } },
    });
  }
  expect((await container(all.everything)).image).toBe(`${registry}/mcp-everything:2026.8.31`);
});

test("a task's secrets are where its definition says, in the version that it says, and, plain, in no definition and no state", async () => {
  const { secrets: references, environment } = await container((await services()).gateway);
  expect(references).toHaveLength(2);
  const values = [];
  for (const { valueFrom } of references) {
    const [, SecretId, key, VersionId] = /^(arn:(?:[^:]*:){5}[^:]+):([^:]+)::([^:]+)$/.exec(valueFrom) as string[];
    const { SecretString } = await aws.call("secretsmanager", "GetSecretValue", { SecretId, VersionId });
    values.push(JSON.parse(SecretString)[key as string]);
  }
  expect(values).toEqual([secrets.operator, secrets.session]);
  expect(JSON.stringify(environment)).not.toContain(secrets.operator);
  expect(await pulumi("stack export --stack prod")).not.toContain(secrets.operator);
});

test("clients come over TLS from listed addresses only; fleets are called by gateways only", async () => {
  const [balancer] = (await aws.call("elbv2", "DescribeLoadBalancers")).LoadBalancers;
  const { Listeners } = await aws.call("elbv2", "DescribeListeners", { LoadBalancerArn: balancer.LoadBalancerArn });
  const [group] = (await aws.call("elbv2", "DescribeTargetGroups")).TargetGroups;
  expect(Listeners.map(({ Port, DefaultActions: [action] }: Answer) => [Port, action.Type]).sort()).toEqual([
    [443, "forward"],
    [80, "redirect"],
  ]);
  const https = Listeners.find(({ Port }: Answer) => Port === 443);
  expect(https).toMatchObject({
    Certificates: [{ CertificateArn: certificate }],
    SslPolicy: "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    DefaultActions: [{ TargetGroupArn: group.TargetGroupArn }],
  });
  expect(group).toMatchObject({ HealthCheckPath: "/ready", TargetType: "ip", Protocol: "HTTP", Port: 8080 });
  const all = await services();
  expect(all.gateway.loadBalancers).toEqual([
    { targetGroupArn: group.TargetGroupArn, containerName: "gateway", containerPort: 8080 },
  ]);
  const inward = async (groups: string[]) => {
    const answers = await Promise.all(groups.map((id) => ec2("DescribeSecurityGroupRules", ["group-id", id])));
    return answers
      .flatMap(({ SecurityGroupRules }: Answer) => SecurityGroupRules)
      .filter(({ IsEgress }: Answer) => !IsEgress)
      .map(({ FromPort, CidrIpv4, ReferencedGroupInfo }: Answer) => [
        FromPort,
        CidrIpv4 ?? ReferencedGroupInfo.GroupId,
      ]);
  };
  expect((await inward(balancer.SecurityGroups)).sort()).toEqual([
    [443, "10.0.0.0/8"],
    [80, "10.0.0.0/8"],
  ]);
  const groupsOf = (name: string) => all[name].networkConfiguration.awsvpcConfiguration.securityGroups as string[];
  const gateways = groupsOf("gateway")[1] as string;
  expect(await inward(groupsOf("gateway"))).toEqual([[8080, balancer.SecurityGroups[0]]]);
  for (const fleet of ["everything", "sequential"]) {
    expect(await inward(groupsOf(fleet))).toEqual([[3001, gateways]]);
  }
});

test("every service is scaled between its bounds, by what its stack says", async () => {
  const ecs = { ServiceNamespace: "ecs" };
  const { ScalableTargets } = await aws.call("application-autoscaling", "DescribeScalableTargets", ecs);
  const name = (resource: string) => resource.split("/").at(-1)?.split("-service-")[0];
  const bounds = ScalableTargets.map(({ ResourceId, MinCapacity, MaxCapacity }: Answer) => [
    ...[name(ResourceId), MinCapacity, MaxCapacity],
  ]);
  expect(bounds.sort()).toEqual([
    ["everything", 2, 4],
    ["gateway", 2, 6],
    ["sequential", 2, 10],
  ]);
  const { ScalingPolicies } = await aws.call("application-autoscaling", "DescribeScalingPolicies", ecs);
  const targets = ScalingPolicies.map((policy: Answer) => {
    const { TargetValue, CustomizedMetricSpecification: own } = policy.TargetTrackingScalingPolicyConfiguration;
    return [name(policy.ResourceId), own?.MetricName ?? "cpu", TargetValue];
  });
  expect(targets.sort()).toEqual([
    ["everything", "cpu", 70],
    ["gateway", "cpu", 70],
    ["sequential", "cpu", 70],
    ["sequential", "mcp-fleet-prod-sequential-in-flight", 16],
  ]);
  const { metricFilters } = await aws.call("logs", "DescribeMetricFilters");
  expect(metricFilters.map(({ metricTransformations: [made] }: Answer) => made.metricName)).toEqual([
    "mcp-fleet-prod-sequential-in-flight",
  ]);
});

test("every rule is an alarm over what the gateway writes, and is told to whoever has answered the topic's mail", async () => {
  const { MetricAlarms } = await aws.call("cloudwatch", "DescribeAlarms");
  const alarms = MetricAlarms.filter(({ AlarmName }: Answer) => AlarmName.startsWith("monitoring-"));
  const named = (name: string) => alarms.find(({ AlarmName }: Answer) => AlarmName.startsWith(`monitoring-${name}-`));
  expect(alarms).toHaveLength(16);
  const [{ TopicArn }] = (await aws.call("sns", "ListTopics")).Topics;
  expect(named("McpErrorRateHigh")).toMatchObject({
    ...{ Namespace: "mcp-fleet/mcp.example.com", MetricName: "mcp_server_error_rate", Statistic: "Maximum" },
    ...{ ComparisonOperator: "GreaterThanThreshold", Threshold: 0.05, Period: 60, EvaluationPeriods: 5 },
    ...{ AlarmActions: [TopicArn], OKActions: [TopicArn], TreatMissingData: "notBreaching" },
  });
  expect(named("McpCertificateExpires").Dimensions).toEqual([{ Name: "CertificateArn", Value: certificate }]);
  const { Subscriptions } = await aws.call("sns", "ListSubscriptions");
  expect(Subscriptions.map(({ Protocol, Endpoint }: Answer) => [Protocol, Endpoint])).toEqual([
    ["email", "operators@example.com"],
  ]);
  const { environment } = await container((await services()).gateway);
  const text = environment.find(({ name }: Answer) => name === "MCP_FLEET_CONFIG_TEXT").value;
  expect(JSON.parse(text).gateway.metricsLog).toEqual({ namespace: "mcp-fleet/mcp.example.com" });
  const dashboard = { DashboardName: "mcp-fleet-prod-monitoring" };
  const { DashboardBody } = await aws.call("cloudwatch", "GetDashboard", dashboard);
  expect(JSON.parse(DashboardBody).widgets).toHaveLength(8);
});

test("with nothing changed, preview and refresh change nothing", async () => {
  expect(await pulumi("preview --expect-no-changes --refresh --stack prod")).toMatch(/\d+ unchanged/);
});

test("a new image, other bounds: only what hangs on them changes, and the service goes on under a new definition", async () => {
  configure((gateway, fleets) => {
    gateway.aws = { ...(gateway.aws as object), deletionProtection: false };
    const { everything } = fleets as { everything: { container: object; scaling: object } };
    everything.container = { ...everything.container, image: `${registry}/mcp-everything:next` };
    everything.scaling = { minInstances: 2, maxInstances: 5 };
  });
  expect(await planned()).toEqual({
    ...{ everything: ["update"], "everything-scaling": ["update"], "everything-service": ["update"] },
    "everything-task": ["replace"],
    ...{ gateway: ["update"], "gateway-lb": ["update"] },
  });
  const { everything: old } = await services();
  await up();
  const { everything } = await services();
  expect(everything.serviceArn).toBe(old.serviceArn);
  expect((await container(everything)).image).toBe(`${registry}/mcp-everything:next`);
  const { taskDefinitionArns } = await aws.call("ecs", "ListTaskDefinitions", {
    ...{ familyPrefix: "mcp-fleet-prod-everything", status: "ACTIVE" },
  });
  expect(taskDefinitionArns).toEqual([everything.taskDefinition]);
});

test("a gateway whose calls ECS shifts gets what ECS needs for it, and the weights are ECS's own from then on", async () => {
  configure((gateway) => {
    const deployment = { strategy: "canary", percent: 5, stepMinutes: 1, bakeMinutes: 1 };
    gateway.aws = { ...(gateway.aws as object), deployment, rollbackAlarmNames: ["too-many-failures"] };
  });
  expect(await planned()).toEqual({
    ...{ gateway: ["update"], "gateway-service": ["update"], "gateway-calls": ["create"] },
    ...{ "gateway-tg2": ["create"], "gateway-shift-role": ["create"], "gateway-shift-policy": ["create"] },
  });
  await up();
  const rule = async () => {
    const [{ LoadBalancerArn }] = (await aws.call("elbv2", "DescribeLoadBalancers")).LoadBalancers;
    const { Listeners } = await aws.call("elbv2", "DescribeListeners", { LoadBalancerArn });
    const { ListenerArn } = Listeners.find(({ Port }: Answer) => Port === 443);
    const { Rules } = await aws.call("elbv2", "DescribeRules", { ListenerArn });
    return Rules.find(({ IsDefault }: Answer) => !IsDefault);
  };
  const { RuleArn, Actions } = await rule();
  const weights = ([action]: Answer[]) => action.ForwardConfig.TargetGroups.map(({ Weight }: Answer) => Weight);
  expect(weights(Actions)).toEqual([100, 0]);
  const [{ advancedConfiguration }] = (await services()).gateway.loadBalancers;
  expect(advancedConfiguration).toMatchObject({
    productionListenerRule: RuleArn,
    alternateTargetGroupArn: Actions[0].ForwardConfig.TargetGroups[1].TargetGroupArn,
  });
  // As ECS does when the new version has taken over.
  const [first, second] = Actions[0].ForwardConfig.TargetGroups;
  const TargetGroups = [
    { ...first, Weight: 0 },
    { ...second, Weight: 100 },
  ];
  await aws.call("elbv2", "ModifyRule", { RuleArn, Actions: [{ Type: "forward", ForwardConfig: { TargetGroups } }] });
  await pulumi("preview --expect-no-changes --refresh --stack prod");
  expect(weights((await rule()).Actions)).toEqual([0, 100]);
});

test("what somebody changes or deletes behind the stack's back is found by a refresh, and put right by the next update", async () => {
  const target = async () => {
    const all = await aws.call("application-autoscaling", "DescribeScalableTargets", { ServiceNamespace: "ecs" });
    return all.ScalableTargets.find(({ ResourceId }: Answer) => ResourceId.includes("everything"));
  };
  await aws.call("application-autoscaling", "RegisterScalableTarget", {
    ...{ ServiceNamespace: "ecs", ScalableDimension: "ecs:service:DesiredCount", MaxCapacity: 50 },
    ResourceId: (await target()).ResourceId,
  });
  const [{ LoadBalancerArn }] = (await aws.call("elbv2", "DescribeLoadBalancers")).LoadBalancers;
  const { Listeners } = await aws.call("elbv2", "DescribeListeners", { LoadBalancerArn });
  const { ListenerArn } = Listeners.find(({ Port }: Answer) => Port === 80);
  await aws.call("elbv2", "DeleteListener", { ListenerArn });
  expect(await planned()).toEqual({});
  await pulumi("refresh --yes --stack prod");
  expect(await planned()).toEqual({ "everything-scaling": ["update"], "gateway-http": ["create"] });
  await up();
  expect((await target()).MaxCapacity).toBe(5);
  expect((await aws.call("elbv2", "DescribeListeners", { LoadBalancerArn })).Listeners).toHaveLength(2);
});

test("pulumi destroy leaves nothing in the account", async () => {
  await pulumi("destroy --yes --skip-preview --stack prod");
  expect(await inventory(aws)).toEqual(before);
});
