import { describe, expect, test } from "@jest/globals";
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { knownCallers, oneAutoscaler, policies, restrictedPods, rightArguments } from "../../policy/policies.ts";
import { type GraphNode, graphOf } from "../support/graph.ts";
import { operatorProgram, ordinaryProgram } from "../support/kubernetes-program.ts";
import { opened } from "../support/manifests.ts";

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
  ...{ type, name: "notes", parent: "", dependsOn: [], aliases: [] },
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
    "known-callers",
    "one-autoscaler",
  ]);
});

describe("is reported:", () => {
  test.each([
    ["mcp-fleet:index:MCPServerFleet", { platform: "kubernetes", type: "custom", container: { image: "x" } }],
    ["mcp-fleet:index:MCPServerFleet", { platform: "docker", type: "custom", container: { image: "x" } }],
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

  test("two autoscalers of one Deployment", () => {
    const spec = { scaleTargetRef: { name: "mcp-notes" } };
    const types = ["kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "kubernetes:keda.sh/v1alpha1:ScaledObject"];
    const graph = types.map((type, index) => ({ ...node(type, { metadata: ours, spec }), name: `scaler-${index}` }));
    expect(stackReports(graph)).toEqual(["scaler-1 and scaler-0 both scale tools/mcp-notes; keep one of the two"]);
  });
});
