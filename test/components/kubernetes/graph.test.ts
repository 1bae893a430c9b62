import { beforeAll, describe, expect, test } from "@jest/globals";
import type * as pulumi from "@pulumi/pulumi";
import { MCPGateway, type MCPGatewayArgs, MCPServerFleet } from "../../../index.ts";
import { type GraphNode, graphOf, triples } from "../../support/graph.ts";
import { gatewayArgs, operatorProgram, ordinaryProgram } from "../../support/kubernetes-program.ts";

let graph: GraphNode[];
let gateway: MCPGateway;
const node = (name: string) => graph.find((one) => one.name === name) as GraphNode;
const value = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

const cloud = {
  computed: (type: string, name: string) =>
    type.endsWith(":KubernetesRollout") ? { status: name.startsWith("gateway") ? "degraded" : "running" } : {},
  answer: () => ({}),
};

beforeAll(async () => {
  graph = await graphOf(
    () => {
      gateway = ordinaryProgram();
    },
    [],
    cloud,
  );
});

test("types, names and parents, which states depend on", () => {
  expect(triples(graph)).toEqual([
    "mcp-fleet:index:MCPServerFleet clock < ",
    "kubernetes:core/v1:ServiceAccount clock-account < clock",
    "kubernetes:policy/v1:PodDisruptionBudget clock-budget < clock",
    "kubernetes:apps/v1:Deployment clock-deployment < clock",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy clock-network < clock",
    "pulumi-nodejs:dynamic/mcp-fleet:KubernetesRollout clock-rollout < clock",
    "kubernetes:core/v1:Service clock-service < clock",
    "mcp-fleet:index:MCPGateway gateway < ",
    "kubernetes:core/v1:ServiceAccount gateway-account < gateway",
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler gateway-autoscaler < gateway",
    "kubernetes:policy/v1:PodDisruptionBudget gateway-budget < gateway",
    "kubernetes:core/v1:ConfigMap gateway-config < gateway",
    "kubernetes:apps/v1:Deployment gateway-deployment < gateway",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy gateway-network < gateway",
    "kubernetes:rbac.authorization.k8s.io/v1:Role gateway-role < gateway",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding gateway-role-binding < gateway",
    "pulumi-nodejs:dynamic/mcp-fleet:KubernetesRollout gateway-rollout < gateway",
    "kubernetes:core/v1:Secret gateway-secret < gateway",
    "kubernetes:core/v1:Service gateway-service < gateway",
    "mcp-fleet:index:MCPServerFleet notes < ",
    "kubernetes:core/v1:ServiceAccount notes-account < notes",
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler notes-autoscaler < notes",
    "kubernetes:policy/v1:PodDisruptionBudget notes-budget < notes",
    "kubernetes:apps/v1:Deployment notes-deployment < notes",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy notes-network < notes",
    "pulumi-nodejs:dynamic/mcp-fleet:KubernetesRollout notes-rollout < notes",
    "kubernetes:core/v1:Secret notes-secret < notes",
    "kubernetes:core/v1:Service notes-service < notes",
    "mcp-fleet:index:MCPServerFleet remote < ",
  ]);
});

test("pods wait for what keeps them apart and what they read; the gateway's configuration waits for the fleets", () => {
  const waits = Object.fromEntries(
    graph
      .filter(({ type, dependsOn }) => type.startsWith("kubernetes:") && dependsOn.length > 0)
      .map(({ name, dependsOn }) => [name, dependsOn]),
  );
  expect(waits).toEqual({
    "clock-deployment": ["clock-account", "clock-network"],
    "clock-service": ["clock-rollout"],
    "gateway-config": ["clock-service", "notes-service"],
    "gateway-deployment": [
      ...["clock-service", "gateway-account", "gateway-config"],
      ...["gateway-network", "gateway-secret", "notes-service"],
    ],
    "gateway-role-binding": ["gateway-role"],
    "gateway-service": ["gateway-rollout"],
    "notes-deployment": ["notes-account", "notes-network", "notes-secret"],
    "notes-service": ["notes-rollout"],
  });
});

test("a fleet that goes from one autoscaler to another keeps its pods", async () => {
  const graphWith = (kubernetes: object) =>
    graphOf(() => {
      const container = { image: "notes:1", command: "notes" };
      return new MCPServerFleet("notes", { platform: "kubernetes", type: "custom", container, kubernetes });
    });
  const keda = { prometheusAddress: "http://prometheus:9090" };
  const seen = [];
  for (const more of [{}, { autoscaler: "keda", keda }, { autoscaler: "none" }]) {
    const made = await graphWith(more);
    const deployment = made.find(({ name }) => name === "notes-deployment") as GraphNode;
    const autoscaler = made.find(({ name }) => name === "notes-autoscaler");
    const annotations = (one: GraphNode | undefined) => (one?.inputs.metadata as { annotations?: object })?.annotations;
    const { replicas } = deployment.inputs.spec as { replicas?: number };
    seen.push([deployment.ignoreChanges, replicas, annotations(deployment), annotations(autoscaler)]);
  }
  const forced = { "pulumi.com/patchForce": "true" };
  const deployed = { ...forced, "pulumi.com/waitFor": "jsonpath={.metadata.uid}" };
  expect(seen).toEqual([
    // KEDA's webhook lets a ScaledObject in beside it, and the number of pods stays what it is.
    [["spec.replicas"], undefined, deployed, { ...forced, "validations.keda.sh/hpa-ownership": "false" }],
    [["spec.replicas"], undefined, deployed, forced],
    // The number is taken back, by force, from whatever autoscaler has set it.
    [[], 2, deployed, undefined],
  ]);
});

test("a renamed fleet keeps its objects by its alias", () => {
  expect(node("clock").aliases).toEqual(["watch"]);
  expect(node("notes").aliases).toEqual([]);
});

test("labels of the user are on every object, and on every pod", () => {
  const metadata = graph.flatMap(({ type, name, inputs }) => {
    if (!type.startsWith("kubernetes:")) return [];
    const { metadata, spec } = inputs as { metadata: { labels: object }; spec?: { template?: { metadata: object } } };
    return [[name, metadata], ...(spec?.template === undefined ? [] : [[`${name} pod`, spec.template.metadata]])];
  }) as [string, { labels: Record<string, string> }][];
  expect(metadata.length).toBe(25);
  expect(metadata.filter(([, { labels }]) => labels.team !== "search")).toEqual([]);
});

test("secrets are secret wherever they are: in the arguments, in the Secret, in the mark that renews the pods", () => {
  const plain = /hidden|token-of-ada|key-of-sessions/;
  const found: string[] = [];
  const walk = (path: string, item: unknown): void => {
    if (typeof item === "string" && plain.test(item)) found.push(path);
    if (typeof item !== "object" || item === null || "secret" in item) return;
    for (const [key, child] of Object.entries(item)) walk(`${path}.${key}`, child);
  };
  for (const { name, inputs } of graph) walk(name, inputs);
  expect(found).toEqual([]);
  expect(node("gateway-secret").inputs.stringData).toEqual({
    secret: { ada: "token-of-ada", session: "key-of-sessions" },
  });
});

test.each([
  ["the provider's namespace", { kubernetes: {} }, "http://gateway.default:8080/mcp"],
  ["a namespace", { kubernetes: { namespace: "tools" } }, "http://gateway.tools:8080/mcp"],
  [
    "a load balancer",
    {
      allowedHosts: ["mcp.example.net"],
      kubernetes: { serviceType: "LoadBalancer", network: { ingressCidrs: ["203.0.113.0/24"] } },
    },
    "http://mcp.example.net:8080/mcp",
  ],
  [
    "an Ingress",
    { kubernetes: { ingress: { host: "a.example.com" }, network: { ingressNamespaces: ["edge"] } } },
    "http://a.example.com/mcp",
  ],
  [
    "an HTTPRoute",
    {
      kubernetes: {
        httpRoute: { host: "b.example.com", parentName: "edge" },
        network: { ingressNamespaces: ["edge"] },
      },
    },
    "https://b.example.com/mcp",
  ],
])("the host in the endpoint of a gateway behind %s is one that it serves", async (_, more, endpoint) => {
  const made: MCPGateway[] = [];
  const graph = await graphOf(() => {
    const args = { ...gatewayArgs, ...more } as MCPGatewayArgs;
    const endpoints = ["https://mcp.example.com/mcp"];
    const fleets = [new MCPServerFleet("remote", { platform: "kubernetes", type: "custom", endpoints })];
    made.push(new MCPGateway("gateway", { ...args, fleets }));
  });
  const config = graph.find(({ name }) => name === "gateway-config") as GraphNode;
  const { gateway: settings } = JSON.parse((config.inputs.data as Record<string, string>)["mcp-fleet.json"] as string);
  expect(await value((made[0] as MCPGateway).endpoint)).toBe(endpoint);
  expect(settings.allowedHosts).toContain(new URL(endpoint).hostname);
});

describe("the gateway's configuration", () => {
  const config = () => node("gateway-config").inputs as { data: Record<string, string> };

  test("says how every fleet is reached, and holds only references to secrets", () => {
    expect(JSON.parse(config().data["mcp-fleet.json"] as string)).toEqual({
      gateway: {
        lingerMs: 5000,
        drainMs: 120_000,
        auth: gatewayArgs.auth,
        session: gatewayArgs.session,
        host: "0.0.0.0",
        port: 8080,
        allowedHosts: ["gateway", "gateway.tools", "gateway.tools.svc", "gateway.tools.svc.cluster.local"],
      },
      servers: {
        notes: {
          type: "custom",
          tools: { deny: ["forget"] },
          protocol: "http",
          discovery: { kubernetes: { service: "mcp-notes", port: "http" } },
          healthCheck: { path: "/health" },
        },
        clock: {
          type: "custom",
          protocol: "http",
          discovery: { kubernetes: { service: "mcp-clock", port: "http", path: "/" } },
        },
        remote: { type: "custom", endpoints: ["https://mcp.example.com/mcp"] },
      },
    });
  });

  test("never changes: the provider names each content otherwise, so that a failed update can be reverted", () => {
    expect(node("gateway-config").inputs).toEqual({
      ...{ apiVersion: "v1", kind: "ConfigMap", immutable: true, data: config().data },
      metadata: { namespace: "tools", labels: expect.objectContaining({ "app.kubernetes.io/name": "gateway" }) },
    });
    const mounted = node("gateway-deployment").inputs as { spec: { template: { spec: { volumes: unknown[] } } } };
    const configMap = { name: "gateway-config-0a1b2c3d" };
    expect(mounted.spec.template.spec.volumes).toContainEqual({ name: "config", configMap });
  });
});

test.each([
  ["the longest call of its fleets", {}, 300_000, 310],
  ["its own drain", { drainMs: 30_000 }, 30_000, 40],
])("a gateway's pods end after %s, and so do they say in their configuration", async (_, more, drainMs, grace) => {
  const endpoints = ["https://mcp.example.com/mcp"];
  const graph = await graphOf(() => {
    const common = { platform: "kubernetes", type: "custom", endpoints } as const;
    const fleets = [
      new MCPServerFleet("quick", { ...common, timeouts: { requestMs: 5000 } }),
      new MCPServerFleet("slow", { ...common, timeouts: { requestMs: 300_000 } }),
    ];
    return new MCPGateway("gateway", { ...gatewayArgs, ...more, fleets });
  });
  const inputs = (name: string) => (graph.find((one) => one.name === name) as GraphNode).inputs;
  const { data } = inputs("gateway-config") as { data: Record<string, string> };
  expect(JSON.parse(data["mcp-fleet.json"] as string).gateway.drainMs).toBe(drainMs);
  expect(inputs("gateway-deployment")).toMatchObject({
    spec: { template: { spec: { terminationGracePeriodSeconds: grace } } },
  });
});

test("outputs are those of every platform", async () => {
  expect(await value(gateway.endpoint)).toBe("http://gateway.tools:8080/mcp");
  expect(await value(gateway.metricsTarget)).toBe("http://gateway.tools:8080/metrics");
  expect(await value(gateway.status)).toBe("degraded");
});

test("KEDA, an operator's secrets, an Ingress and an HTTPRoute take the place of what is there without them", async () => {
  const endpoints: string[] = [];
  const other = await graphOf(() => {
    for (const { endpoint } of operatorProgram()) endpoint.apply((text) => endpoints.push(text));
  });
  const kinds = other.filter(({ type }) => /CustomResource|Ingress|:keda|:external|:gateway/.test(type));
  expect(triples(kinds).sort()).toEqual([
    "kubernetes:external-secrets.io/v1:ExternalSecret notes-secret < notes",
    "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute second-route < second",
    "kubernetes:keda.sh/v1alpha1:ScaledObject notes-autoscaler < notes",
    "kubernetes:networking.k8s.io/v1:Ingress first-ingress < first",
  ]);
  expect(other.filter(({ type }) => type.includes("HorizontalPodAutoscaler")).map(({ name }) => name)).toEqual([
    "first-autoscaler",
    "second-autoscaler",
  ]);
  expect(endpoints.sort()).toEqual(["https://a.example.com/mcp", "https://b.example.com/mcp"]);
});

test("an Ingress is not waited for, unless its annotations say so: its controller can be elsewhere, or not there yet", async () => {
  const annotationsOf = async (annotations?: Record<string, string>) => {
    const made = await graphOf(() => {
      const fleets = [new MCPServerFleet("notes", { ...fleet, endpoints: ["https://mcp.example.com/mcp"] })];
      const ingress = { host: "a.example.com", ...(annotations === undefined ? {} : { annotations }) };
      const kubernetes = { namespace: "tools", network: { ingressNamespaces: ["edge"] }, ingress };
      return new MCPGateway("gateway", { ...gatewayArgs, fleets, kubernetes });
    });
    const { inputs } = made.find(({ name }) => name === "gateway-ingress") as GraphNode;
    return (inputs as { metadata: { annotations: object } }).metadata.annotations;
  };
  const fleet = { platform: "kubernetes", type: "custom" } as const;
  const forced = { "pulumi.com/patchForce": "true" };
  expect(await annotationsOf()).toEqual({ ...forced, "pulumi.com/skipAwait": "true" });
  expect(await annotationsOf({ "pulumi.com/skipAwait": "false", class: "a" })).toEqual({
    ...{ ...forced, "pulumi.com/skipAwait": "false", class: "a" },
  });
});
