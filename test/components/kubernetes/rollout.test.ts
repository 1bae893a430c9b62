import { expect, test } from "@jest/globals";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { MCPGateway, MCPServerFleet } from "../../../index.ts";
import { type GraphNode, graphOf } from "../../support/graph.ts";
import { gatewayArgs } from "../../support/kubernetes-program.ts";

const cloud = {
  computed: () => ({}),
  answer: () => ({}),
  outputs: (type: string) =>
    type === "kubernetes:apps/v1:Deployment" ? { metadata: { name: "mcp-notes", namespace: "tools", uid: "u-1" } } : {},
};
const fleet = (block: object = {}, opts: pulumi.ComponentResourceOptions = {}) => {
  const container = { image: "notes:1", command: "notes" };
  const kubernetes = { namespace: "tools", ...block };
  return new MCPServerFleet("notes", { platform: "kubernetes", type: "custom", container, kubernetes }, opts);
};
const made = async (program: () => unknown) => {
  const graph = await graphOf(program, [], cloud);
  return (name: string) => graph.find((one) => one.name === name) as GraphNode;
};
const revisionOf = async (block: object, opts?: pulumi.ComponentResourceOptions) =>
  (await made(() => fleet(block, opts)))("notes-rollout").inputs.revision;

test("a rollout waits within the user's bound; where nothing is said, for the cluster that the provider finds too", async () => {
  const { inputs, dependsOn } = (await made(() => fleet({ rolloutSeconds: 120 })))("notes-rollout");
  const { __provider, command, ...asked } = inputs;
  const revision = expect.stringMatching(/^[0-9a-f]{12}$/);
  expect(asked).toEqual({ namespace: "tools", name: "mcp-notes", uid: "u-1", revision, timeoutSeconds: 120 });
  expect(dependsOn).toEqual(["notes-deployment"]);
});

test("a rollout knows the kinds of operators that its fleet needs, so that a preview can tell which are not there", async () => {
  const block = {
    ...{ autoscaler: "keda", keda: { prometheusAddress: "http://prometheus:9090" } },
    externalSecret: { store: "vault", keys: { API_KEY: "prod/notes" } },
  };
  expect((await made(() => fleet(block)))("notes-rollout").inputs.kinds).toEqual([
    "keda.sh/v1alpha1/ScaledObject",
    "external-secrets.io/v1/ExternalSecret",
  ]);
});

test("another pod is another rollout, and so is another number of pods where no autoscaler owns it", async () => {
  const first = await revisionOf({});
  expect(await revisionOf({})).toBe(first);
  expect(await revisionOf({ scaleDownAfterSeconds: 15 })).toBe(first);
  expect(await revisionOf({ userId: 1000 })).not.toBe(first);
  expect(await revisionOf({ autoscaler: "none" })).not.toBe(first);
});

test("what a transform makes of the pods is a rollout too", async () => {
  const transformations: pulumi.ResourceTransformation[] = [
    ({ type, props, opts }) => {
      if (type !== "kubernetes:apps/v1:Deployment") return undefined;
      props.spec.template.spec.hostname = "other";
      return { props, opts };
    },
  ];
  expect(await revisionOf({}, { transformations })).not.toBe(await revisionOf({}));
});

test("a provider's own kubeconfig is used for the rollout, and is secret there", async () => {
  const node = await made(() => {
    const provider = new kubernetes.Provider("there", { kubeconfig: pulumi.secret("keys"), context: "prod" });
    return fleet({}, { providers: [provider] });
  });
  expect(node("notes-rollout").inputs.cluster).toEqual({ kubeconfig: { secret: "keys" }, context: "prod" });
});

test("a provider of which a program in another language shows nothing waits itself, within the same bound", async () => {
  const urn = "urn:pulumi:test::shop::pulumi:providers:kubernetes::there";
  const node = await made(() => {
    const provider = new pulumi.DependencyProviderResource(`${urn}::id`);
    return fleet({ rolloutSeconds: 120 }, { providers: [provider] });
  });
  expect(node("notes-rollout")).toBeUndefined();
  expect(node("notes-deployment").inputs.metadata).toMatchObject({
    annotations: { "pulumi.com/patchForce": "true" },
  });
  expect(node("notes-service").dependsOn).toEqual(["notes-deployment"]);
});

const rolledOut = { observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
test.each([
  ["running", rolledOut],
  ["degraded", { ...rolledOut, observedGeneration: 2 }],
  ["degraded", { ...rolledOut, replicas: 3 }],
  ["stopped", { ...rolledOut, availableReplicas: 0 }],
  ["stopped", undefined],
])("then a gateway's status is what that provider has seen last: %s", async (wanted, status) => {
  const seen: pulumi.Output<string>[] = [];
  const program = () => {
    const provider = new pulumi.DependencyProviderResource(
      "urn:pulumi:test::shop::pulumi:providers:kubernetes::there::id",
    );
    seen.push(new MCPGateway("gateway", { ...gatewayArgs, fleets: [fleet()] }, { providers: [provider] }).status);
  };
  const metadata = { name: "gateway", namespace: "tools", generation: 3 };
  await graphOf(program, [], {
    computed: (type: string) => (type === "kubernetes:apps/v1:Deployment" ? { status } : {}),
    answer: () => ({}),
    outputs: (type: string) => (type === "kubernetes:apps/v1:Deployment" ? { metadata } : {}),
  });
  expect(await new Promise((resolve) => (seen[0] as pulumi.Output<string>).apply(resolve))).toBe(wanted);
});
