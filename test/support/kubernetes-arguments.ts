import fc from "fast-check";
import type { MCPGatewayArgs, MCPServerFleetArgs } from "../../index.ts";

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const word = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
const variable = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/);
const image = word.map((name) => `registry.example.com/${name}:1`);
const cidr = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(32)).map(([a, b, bits]) => `${a}.${b}.0.0/${bits}`);
const port = fc.integer({ min: 1, max: 65_535 });
const dictionary = (key: fc.Arbitrary<string>) => fc.dictionary(key, fc.string({ maxLength: 20 }), { maxKeys: 3 });
const labels = fc.dictionary(word, word, { maxKeys: 3 });

const network = fc.record({
  ingressNamespaces: optional(fc.array(word, { maxLength: 2 })),
  ingressCidrs: optional(fc.array(cidr, { maxLength: 2 })),
  egressCidrs: optional(fc.array(cidr, { maxLength: 2 })),
  egressPorts: optional(fc.array(port, { minLength: 1, maxLength: 2 })),
});
const pod = {
  namespace: optional(word),
  imagePullPolicy: optional(fc.constantFrom("IfNotPresent", "Always", "Never")),
  imagePullSecrets: optional(fc.array(word, { maxLength: 2 })),
  scaleDownAfterSeconds: optional(fc.integer({ min: 0, max: 3600 })),
  network: optional(network),
  nodeSelector: optional(labels),
  tolerations: optional(fc.array(fc.record({ key: word, operator: fc.constant("Exists") }), { maxLength: 2 })),
  priorityClassName: optional(word),
  runtimeClassName: optional(word),
  serviceAccountAnnotations: optional(labels),
};
const size = {
  cpuMillicores: optional(fc.integer({ min: 1, max: 4000 })),
  memoryMiB: optional(fc.integer({ min: 32, max: 4096 })),
};
const bounds = (least: number) =>
  fc
    .tuple(fc.integer({ min: least, max: 20 }), fc.nat(20))
    .map(([min, more]) => ({ minInstances: min, maxInstances: Math.max(1, min + more) }));

const preset = fc.record({ type: fc.constantFrom("context7", "sequential", "magic", "playwright") });
const hosted = fc.record({
  type: fc.constant("custom" as const),
  container: fc.record({
    command: word,
    args: optional(fc.array(word, { maxLength: 3 })),
    env: optional(dictionary(variable)),
    secretEnv: optional(dictionary(variable)),
    maxProcesses: optional(fc.integer({ min: 1, max: 50 })),
  }),
});
const own = fc.record({
  type: fc.constant("custom" as const),
  container: fc.record({
    port,
    path: optional(word.map((name) => `/${name}`)),
    healthPath: optional(word.map((name) => `/${name}`)),
    env: optional(dictionary(variable)),
    secretEnv: optional(dictionary(variable)),
  }),
});
const scaled = fc.oneof(
  fc.record({ scaling: bounds(1), kubernetes: fc.record({ ...pod, autoscaler: fc.constant(undefined) }) }),
  fc.record({
    scaling: fc.record({ minInstances: fc.integer({ min: 1, max: 20 }) }),
    kubernetes: fc.record({
      ...pod,
      scaleDownAfterSeconds: fc.constant(undefined),
      autoscaler: fc.constant("none" as const),
    }),
  }),
  fc.record({
    scaling: bounds(0),
    kubernetes: fc.record({
      ...pod,
      autoscaler: fc.constant("keda" as const),
      keda: fc.record({ prometheusAddress: fc.constant("http://prometheus:9090") }),
    }),
  }),
);

/** Any right arguments of a fleet on Kubernetes. */
export const fleetArguments: fc.Arbitrary<MCPServerFleetArgs> = fc
  .tuple(fc.oneof(preset, hosted, own), scaled, image, fc.record(size), optional(labels))
  .map(([source, { scaling, kubernetes }, image, sizes, tags]) => {
    const { type, container = {} } = source as { type: MCPServerFleetArgs["type"]; container?: object };
    return { platform: "kubernetes", type, scaling, kubernetes, tags, container: { image, ...sizes, ...container } };
  });

const folder = "/run/secrets/mcp-fleet";
const front = fc.oneof(
  fc.constant({}),
  fc.record({ ingress: fc.record({ host: fc.constant("mcp.example.com"), tlsSecret: optional(word) }) }),
  fc.record({ httpRoute: fc.record({ host: fc.constant("mcp.example.com"), parentName: word }) }),
);

/** Any right arguments of a gateway on Kubernetes, without its fleets. */
export const gatewayArguments: fc.Arbitrary<Omit<MCPGatewayArgs, "fleets">> = fc
  .tuple(image, fc.record(size), bounds(1), fc.record(pod), front, optional(labels), optional(fc.nat(60_000)))
  .map(([image, sizes, scaling, block, front, tags, drainMs]) => ({
    platform: "kubernetes",
    container: { image, ...sizes },
    auth: { bearerTokens: [{ name: "ada", token: `file:${folder}/ada` }] },
    session: { keys: [{ id: "k1", key: `file:${folder}/session` }] },
    secrets: { ada: "a", session: "b" },
    ...{ scaling, tags, drainMs },
    kubernetes: { ...block, network: { ...block.network, ingressNamespaces: ["edge"] }, ...front },
  }));

/** One mistake in a fleet's right arguments, and what the message must name. */
export const fleetMistakes: readonly [string, (args: MCPServerFleetArgs) => object, RegExp][] = [
  ["an unknown key", (args) => ({ ...args, kubernetes: { ...args.kubernetes, replicaz: 1 } }), /kubernetes\.replicaz/],
  ["another platform's block", (args) => ({ ...args, process: {} }), /process is given/],
  ["no image", (args) => ({ ...args, container: { ...args.container, image: undefined } }), /container\.image/],
  ["a wrong port", (args) => ({ ...args, type: "custom", container: { image: "x", port: 0 } }), /container\.port/],
  ["a wrong CIDR", (args) => ({ ...args, kubernetes: { network: { egressCidrs: ["all"] } } }), /egressCidrs\[0\]/],
  [
    "crossed bounds",
    (args) => ({ ...args, kubernetes: {}, scaling: { minInstances: 9, maxInstances: 2 } }),
    /scaling\.minInstances/,
  ],
  [
    "zero without KEDA",
    (args) => ({ ...args, kubernetes: {}, scaling: { minInstances: 0 } }),
    /which only KEDA can do/,
  ],
  ["KEDA without its address", (args) => ({ ...args, kubernetes: { autoscaler: "keda" } }), /prometheusAddress/],
  [
    "calls in flight without KEDA",
    (args) => ({ ...args, kubernetes: {}, scaling: { targetInFlight: 8 } }),
    /scaling\.targetInFlight is given, but kubernetes\.autoscaler is "hpa", which goes by processor and memory; remove it, or set kubernetes\.autoscaler to "keda"/,
  ],
  [
    "processor use with KEDA",
    (args) => ({
      ...args,
      scaling: { targetCpuPercent: 50 },
      kubernetes: { autoscaler: "keda", keda: { prometheusAddress: "http://prometheus:9090" } },
    }),
    /scaling\.targetCpuPercent is given, but kubernetes\.autoscaler is "keda"/,
  ],
  [
    "bounds without an autoscaler",
    (args) => ({ ...args, scaling: { minInstances: 2, maxInstances: 5 }, kubernetes: { autoscaler: "none" } }),
    /scaling\.maxInstances \(5\) is not minInstances \(2\)/,
  ],
  [
    "a calm without an autoscaler",
    (args) => ({ ...args, scaling: {}, kubernetes: { autoscaler: "none", scaleDownAfterSeconds: 60 } }),
    /kubernetes\.scaleDownAfterSeconds is given/,
  ],
  ["an autoscaler that is none", (args) => ({ ...args, kubernetes: { autoscaler: "vpa" } }), /kubernetes\.autoscaler/],
  [
    "two places of secrets",
    (args) => ({
      ...args,
      type: "custom",
      container: { image: "x", command: "x", secretEnv: {} },
      kubernetes: { existingSecret: { name: "s", keys: [] } },
    }),
    /stand beside each other/,
  ],
  [
    "a command for a preset",
    (args) => ({ ...args, type: "context7", container: { image: "x", command: "x" } }),
    /container\.command stands beside the preset/,
  ],
  ["no source", (args) => ({ ...args, type: "custom", container: { image: "x" } }), /no source of instances/],
  [
    "a health path of the host",
    (args) => ({ ...args, type: "custom", container: { image: "x", command: "x", healthPath: "/" } }),
    /container\.healthPath/,
  ],
  ["both ways to run", (args) => ({ ...args, type: "custom", endpoints: ["http://a/mcp"] }), /stands beside endpoints/],
  ["an unknown tool key", (args) => ({ ...args, tools: { alow: [] } }), /tools\.alow/],
  ["a wrong isolation", (args) => ({ ...args, isolation: "none" }), /isolation/],
];

/** The same of a gateway. */
export const gatewayMistakes: readonly [string, (args: Omit<MCPGatewayArgs, "fleets">) => object, RegExp][] = [
  ["no token", ({ auth: _, ...args }) => args, /auth is missing/],
  ["no key of sessions", ({ session: _, ...args }) => args, /session\.keys is missing/],
  ["no image", ({ container: _, ...args }) => args, /container\.image is missing/],
  ["a secret that is not given", (args) => ({ ...args, secrets: { ada: "a" } }), /names the secret "session"/],
  [
    "a secret in the open",
    (args) => ({ ...args, auth: { bearerTokens: [{ name: "ada", token: "abc" }] } }),
    /holds a secret itself/,
  ],
  ["an address", (args) => ({ ...args, host: "127.0.0.1" }), /host is given/],
  ["a port", (args) => ({ ...args, port: 1 }), /port is given/],
  ["an open load balancer", (args) => ({ ...args, kubernetes: { serviceType: "LoadBalancer" } }), /ingressCidrs/],
  [
    "an unreachable Ingress",
    (args) => ({ ...args, kubernetes: { ingress: { host: "a.example.com" } } }),
    /nothing outside the namespace/,
  ],
  [
    "two fronts",
    (args) => ({
      ...args,
      kubernetes: {
        network: { ingressNamespaces: ["edge"] },
        ingress: { host: "a" },
        httpRoute: { host: "a", parentName: "edge" },
      },
    }),
    /keep one of the two/,
  ],
  ["no replica", (args) => ({ ...args, scaling: { minInstances: 0 } }), /scaling\.minInstances/],
  ["an unknown key", (args) => ({ ...args, kubernetes: { namespce: "x" } }), /did you mean "namespace"/],
  ["an unknown key of all platforms", (args) => ({ ...args, alow: 1 }), /alow/],
];
