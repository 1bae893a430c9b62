import { describe, expect, test } from "@jest/globals";
import type { ResourceValidationPolicy } from "@pulumi/policy";
import {
  knownCallers,
  oneAutoscaler,
  policies,
  restrictedPods,
  restrictedTasks,
  rightArguments,
} from "../../policy/policies.ts";
import { type GraphNode, graphOf } from "../support/graph.ts";
import { operatorProgram, ordinaryProgram } from "../support/kubernetes-program.ts";
import { opened } from "../support/manifests.ts";
import { stackGraph } from "../support/stack-graph.ts";

/** What a policy reports of one resource. The pack's functions are called as the engine calls them. */
function reports(policy: ResourceValidationPolicy, { type, name, inputs }: GraphNode): string[] {
  const found: string[] = [];
  const validate = policy.validateResource as (args: object, report: (message: string) => void) => void;
  validate({ type, name, props: opened(inputs) }, (message) => found.push(message));
  return found;
}

function stackReports(graph: readonly GraphNode[]): string[] {
  const found: string[] = [];
  const resources = graph.map(({ type, name, inputs }) => ({ type, name, props: inputs }));
  void oneAutoscaler.validateStack({ resources } as never, (message) => found.push(message));
  return found;
}

const node = (type: string, inputs: object): GraphNode => ({
  type,
  name: "notes",
  parent: "",
  dependsOn: [],
  aliases: [],
  ignoreChanges: [],
  inputs: inputs as Record<string, unknown>,
});
const ours = { name: "mcp-notes", namespace: "tools", labels: { "app.kubernetes.io/part-of": "mcp-fleet" } };

test("what the components make passes every policy", async () => {
  for (const program of [ordinaryProgram, operatorProgram]) {
    const graph = await graphOf(program);
    const found = graph.flatMap((one) =>
      [rightArguments, restrictedPods, knownCallers].flatMap((policy) => reports(policy, one)),
    );
    expect([found, stackReports(graph)]).toEqual([[], []]);
  }
  expect(policies.map(({ name }) => name)).toEqual([
    "right-arguments",
    "restricted-pods",
    "restricted-tasks",
    "known-callers",
    "one-autoscaler",
  ]);
});

test("what the stack prod makes passes every policy, its network being known by its URN only", async () => {
  const graph = await stackGraph("prod", { "mcp-fleet:secrets": { operator: "token", session: "key" } });
  const found = graph.flatMap((one) =>
    [rightArguments, restrictedTasks, knownCallers].flatMap((policy) => reports(policy, asPoliciesSee(one))),
  );
  expect(found).toEqual([]);
  // Components are URNs to policies; without that the network's parts would be missing.
  const fleet = graph.find(({ type }) => type === "mcp-fleet:index:MCPServerFleet") as GraphNode;
  expect(asPoliciesSee(fleet).inputs.aws).toMatchObject({ environment: expect.stringMatching(/^urn:/) });
});

/** Inputs as the engine gives them to policies: a component among them is its URN. */
function asPoliciesSee(one: GraphNode): GraphNode {
  const { aws } = one.inputs as { aws?: { environment?: object } };
  if (aws?.environment === undefined) return one;
  const environment = "urn:pulumi:prod::mcp-fleet::mcp-fleet:index:MCPNetwork::network";
  return { ...one, inputs: { ...one.inputs, aws: { ...aws, environment } } };
}

describe("is reported:", () => {
  test.each([
    ["mcp-fleet:index:MCPServerFleet", { platform: "kubernetes", type: "custom", container: { image: "x" } }],
    ["mcp-fleet:index:MCPServerFleet", { platform: "docker", type: "custom", container: { image: "x" } }],
    [
      "mcp-fleet:index:MCPServerFleet",
      { platform: "aws", type: "custom", container: { image: "x" }, aws: { environment: "urn:network" } },
    ],
    ["mcp-fleet:index:MCPServerFleet", { platform: "systemd", type: "custom", container: {} }],
  ])("%s with wrong arguments %j, in the components' own words", (type, inputs) => {
    expect(reports(rightArguments, node(type, inputs))).toEqual([
      "has no source of instances; give container.command, container.port, endpoints, or discovery",
    ]);
  });

  test("a pod that a transform has loosened", () => {
    const spec = {
      hostNetwork: true,
      volumes: [{ name: "node", hostPath: { path: "/" } }],
      containers: [{ name: "fleet", securityContext: { privileged: true, capabilities: { add: ["NET_ADMIN"] } } }],
    };
    const deployment = node("kubernetes:apps/v1:Deployment", { metadata: ours, spec: { template: { spec } } });
    expect(reports(restrictedPods, deployment)).toEqual([
      "shares a namespace of its node; remove hostNetwork, hostPID and hostIPC",
      "mounts a service account token; set automountServiceAccountToken to false",
      "may run as root; set securityContext.runAsNonRoot to true",
      "has no seccomp profile; set securityContext.seccompProfile.type to RuntimeDefault",
      "has a volume of the node; use one of configMap, csi, downwardAPI, emptyDir, ephemeral, persistentVolumeClaim, projected, secret",
      "container fleet is privileged; remove privileged",
      "container fleet may gain privileges; set allowPrivilegeEscalation to false",
      "container fleet can write its root file system; set readOnlyRootFilesystem to true",
      "container fleet keeps capabilities; set capabilities.drop to [ALL]",
      "container fleet adds capabilities; remove capabilities.add",
    ]);
    const foreign = node("kubernetes:apps/v1:Deployment", {
      metadata: { name: "other" },
      spec: { template: { spec } },
    });
    expect(reports(restrictedPods, foreign)).toEqual([]);
  });

  test.each([[undefined], [["0.0.0.0/0"]]])("a load balancer open to %j", (loadBalancerSourceRanges) => {
    const spec = { type: "LoadBalancer", loadBalancerSourceRanges };
    expect(reports(knownCallers, node("kubernetes:core/v1:Service", { metadata: ours, spec }))).toEqual([
      "the load balancer is open to every address; list the addresses that may call in kubernetes.network.ingressCidrs",
    ]);
  });

  test("a gateway on AWS that nobody could call, in the components' own words", () => {
    const inputs = {
      ...{ platform: "aws", container: { image: "x" }, auth: {}, session: { keys: [] } },
      aws: { environment: "urn:network", host: "mcp.example.com", certificateArn: "arn:aws:acm:::c" },
    };
    expect(reports(rightArguments, node("mcp-fleet:index:MCPGateway", inputs))).toEqual([
      "aws.ingressCidrs is missing, so nobody could call; list who may: 10.0.0.0/8, 203.0.113.0/24",
    ]);
    const parts = { ...inputs, aws: { ...inputs.aws, environment: { vpcId: "vpc-1" }, ingressCidrs: ["10.0.0.0/8"] } };
    expect(reports(rightArguments, node("mcp-fleet:index:MCPGateway", parts))[0]).toBe(
      "aws.environment.privateSubnetIds is missing; add it, or give an MCPNetwork as aws.environment",
    );
  });

  const tags = { "mcp-fleet:component": "notes", "mcp-fleet:role": "fleet" };
  test("a task that a transform has loosened", () => {
    const loose = {
      ...{ name: "fleet", user: "0:0", privileged: true },
      linuxParameters: { capabilities: { add: ["SYS_PTRACE"] } },
    };
    const task = (more: object) =>
      node("aws:ecs/taskDefinition:TaskDefinition", { containerDefinitions: JSON.stringify([loose]), ...more });
    expect(reports(restrictedTasks, task({ tags }))).toEqual([
      "container fleet may run as root; set user to a number above 0",
      "container fleet is privileged; remove privileged",
      "container fleet can write its root file system; set readonlyRootFilesystem to true",
      "container fleet keeps capabilities; set linuxParameters.capabilities.drop to [ALL]",
      "container fleet adds capabilities; remove linuxParameters.capabilities.add",
    ]);
    expect(reports(restrictedTasks, task({}))).toEqual([]);
  });

  test.each([{ cidrIpv4: "0.0.0.0/0" }, { cidrIpv6: "::/0" }])("a security group open to %j", (peer) => {
    const type = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
    expect(reports(knownCallers, node(type, { ...peer, tags }))).toEqual([
      "the rule is open to every address; list the addresses that may call in aws.ingressCidrs",
    ]);
    expect(reports(knownCallers, node(type, { cidrIpv4: "10.0.0.0/8", tags }))).toEqual([]);
    expect(reports(knownCallers, node(type, peer))).toEqual([]);
  });

  test("two autoscalers of one Deployment", () => {
    const spec = { scaleTargetRef: { name: "mcp-notes" } };
    const types = ["kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "kubernetes:keda.sh/v1alpha1:ScaledObject"];
    const graph = types.map((type, index) => ({ ...node(type, { metadata: ours, spec }), name: `scaler-${index}` }));
    expect(stackReports(graph)).toEqual(["scaler-1 and scaler-0 both scale tools/mcp-notes; keep one of the two"]);
  });
});
