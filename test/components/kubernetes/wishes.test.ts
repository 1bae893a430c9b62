import { expect, test } from "@jest/globals";
import { podSpec } from "../../../components/kubernetes/pod.ts";
import { fleetProblems, gatewayProblems } from "../../../components/kubernetes/rules.ts";
import { serviceMetadata, serviceSpec } from "../../../components/kubernetes/service.ts";
import { MCPGateway, type MCPGatewayArgs, MCPServerFleet, type MCPServerFleetArgs } from "../../../index.ts";
import { graphOf } from "../../support/graph.ts";
import { gatewayArgs } from "../../support/kubernetes-program.ts";
import { notes } from "./workload.ts";

const container = { image: "notes:1", command: "notes" };

test("pods and Service have the annotations, variables, folders and user that are asked for", () => {
  const workload = notes({
    container: { ...container, secretEnv: { KEY: "hidden" } },
    kubernetes: {
      podAnnotations: { "cluster-autoscaler.kubernetes.io/safe-to-evict": "true" },
      serviceAnnotations: { "service.kubernetes.io/topology-mode": "Auto" },
      envConfigMaps: ["settings"],
      envSecrets: ["keys"],
      userId: 1000,
      volumes: [
        { name: "ca", mountPath: "/etc/ca", configMap: "authorities" },
        { name: "login", mountPath: "/etc/login", secret: "login" },
        { name: "data", mountPath: "/data", persistentVolumeClaim: "notes" },
        { name: "cache", mountPath: "/cache", emptyDirMiB: 64, readOnly: false },
      ],
    },
  });
  expect(workload.podAnnotations).toMatchObject({ "cluster-autoscaler.kubernetes.io/safe-to-evict": "true" });
  expect(Object.keys(workload.podAnnotations)).toContain("mcp-fleet/secrets");
  const annotations = { "pulumi.com/patchForce": "true", "service.kubernetes.io/topology-mode": "Auto" };
  expect(serviceMetadata(workload, false).annotations).toEqual(annotations);
  const { securityContext, containers, volumes } = podSpec(workload) as unknown as {
    securityContext: object;
    containers: { envFrom: object[]; volumeMounts: object[] }[];
    volumes: object[];
  };
  expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 });
  expect(containers[0]?.envFrom).toEqual([{ configMapRef: { name: "settings" } }, { secretRef: { name: "keys" } }]);
  expect(volumes.slice(2)).toEqual([
    { name: "ca", configMap: { name: "authorities" } },
    { name: "login", secret: { secretName: "login", defaultMode: 0o440 } },
    { name: "data", persistentVolumeClaim: { claimName: "notes" } },
    { name: "cache", emptyDir: { sizeLimit: "64Mi" } },
  ]);
  expect(containers[0]?.volumeMounts.slice(2)).toEqual([
    { name: "ca", mountPath: "/etc/ca", readOnly: true },
    { name: "login", mountPath: "/etc/login", readOnly: true },
    { name: "data", mountPath: "/data", readOnly: false },
    { name: "cache", mountPath: "/cache", readOnly: false },
  ]);
});

test("a Service is not waited for where its pods have been, unless the user says so: a load balancer can take long", () => {
  const annotations = { "pulumi.com/patchForce": "true", "pulumi.com/skipAwait": "true" };
  expect(serviceMetadata(notes(), true).annotations).toEqual(annotations);
  const waited = { serviceAnnotations: { "pulumi.com/skipAwait": "false" } };
  expect(serviceMetadata(notes({ kubernetes: waited }), true).annotations).toEqual({
    ...annotations,
    ...waited.serviceAnnotations,
  });
});

test("a load balancer has a class", () => {
  expect(serviceSpec(notes(), "LoadBalancer", "internal")).toMatchObject({ loadBalancerClass: "internal" });
});

test("two stacks in one namespace have objects of different names, and serve the same names", async () => {
  const graph = await graphOf(() => {
    const kubernetes = { namespace: "tools", objectName: "mcp-notes-staging" };
    const fleet = new MCPServerFleet("notes", { platform: "kubernetes", type: "custom", container, kubernetes });
    const named = { namespace: "tools", objectName: "gateway-staging" };
    return new MCPGateway("gateway", { ...gatewayArgs, fleets: [fleet], kubernetes: named });
  });
  const names = graph.flatMap(({ inputs }) => (inputs.metadata as { name?: string } | undefined)?.name ?? []);
  // The provider names the ConfigMap, each one otherwise.
  expect([...new Set(names)].sort()).toEqual(["gateway-staging", "mcp-notes-staging"]);
  const config = graph.find(({ name }) => name === "gateway-config")?.inputs.data as Record<string, string>;
  expect(JSON.parse(config["mcp-fleet.json"] as string)).toMatchObject({
    gateway: { allowedHosts: expect.arrayContaining(["gateway-staging.tools"]) },
    servers: { notes: { discovery: { kubernetes: { service: "mcp-notes-staging" } } } },
  });
});

test("a wish that cannot be is refused with field, value and fix", () => {
  const fleet = (kubernetes: object) =>
    fleetProblems({ platform: "kubernetes", type: "custom", container, kubernetes } as MCPServerFleetArgs);
  const gateway = (kubernetes: object) =>
    gatewayProblems("gateway", { ...gatewayArgs, fleets: [], kubernetes } as MCPGatewayArgs);
  expect(fleet({ objectName: "notes" })).toEqual([
    'kubernetes.objectName is "notes"; begin it with mcp-, as every fleet\'s',
  ]);
  expect(gateway({ objectName: "mcp-gateway" })).toEqual([
    'kubernetes.objectName is "mcp-gateway"; begin it otherwise than with mcp-, as fleets do',
  ]);
  expect(fleet({ volumes: [{ name: "a", configMap: "a", secret: "a" }] })).toEqual([
    "kubernetes.volumes[0].mountPath is missing; add it",
    "kubernetes.volumes[0] needs one source; give one of configMap, secret, persistentVolumeClaim, emptyDirMiB",
  ]);
  expect(fleet({ userId: 0 })).toEqual(["kubernetes.userId: is 0; give a number >= 1"]);
  expect(gateway({ loadBalancerClass: "internal" })).toEqual([
    'kubernetes.loadBalancerClass is given, but the Service is no load balancer; remove it, or set kubernetes.serviceType to "LoadBalancer"',
  ]);
});

test("a function over the resources of a component reaches what is no argument", async () => {
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [] } };
  const graph = await graphOf(() => {
    const args = { platform: "kubernetes", type: "custom", container } as const;
    return new MCPServerFleet("notes", args, {
      // `transforms` are the engine's to call, which the tests' monitor is not; the SDK calls these with the same arguments.
      transformations: [
        ({ type, props, opts }) => {
          if (type !== "kubernetes:apps/v1:Deployment") return undefined;
          props.spec.template.spec.affinity = affinity;
          return { props, opts };
        },
      ],
    });
  });
  const deployment = graph.find(({ name }) => name === "notes-deployment");
  expect(deployment?.inputs.spec).toMatchObject({ template: { spec: { affinity } } });
});
