import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { triples } from "../support/graph.ts";
import { stackGraph } from "../support/stack-graph.ts";

const secrets = { operator: "token-of-operator", session: "key-of-sessions" };
const before = process.env.MCP_FLEET_STATE;
beforeAll(() => {
  process.env.MCP_FLEET_STATE = "/state";
});
afterAll(() => {
  process.env.MCP_FLEET_STATE = before;
});

test.each([
  ["dev", {}],
  ["systemd", { "mcp-fleet:secrets": { operator: "token-of-operator" } }],
  ["docker", { "mcp-fleet:secrets": { operator: "token-of-operator" } }],
  ["staging", { "mcp-fleet:secrets": secrets }],
  ["prod", { "mcp-fleet:secrets": secrets }],
])(
  "types, names and parents of the stack %s, which states depend on (UPDATE_GOLDEN=1 writes a wanted change)",
  async (stack, added) => {
    const golden = join(import.meta.dirname, `${stack}.golden.json`);
    const found = triples(await stackGraph(stack, added));
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(golden, `${JSON.stringify(found, null, 2)}\n`);
    expect(found).toEqual(JSON.parse(readFileSync(golden, "utf8")));
  },
);

test("staging is in a namespace of its own under restricted Pod Security, and its secrets are encrypted", async () => {
  const graph = await stackGraph("staging", { "mcp-fleet:secrets": secrets });
  const namespace = graph.find(({ name }) => name === "namespace")?.inputs.metadata;
  expect(namespace).toEqual({
    name: "mcp-fleet",
    labels: {
      "app.kubernetes.io/part-of": "mcp-fleet",
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/audit": "restricted",
      "pod-security.kubernetes.io/warn": "restricted",
    },
  });
  const others = graph.filter(({ type, name }) => type.startsWith("kubernetes:") && name !== "namespace");
  const places = others.map(({ inputs }) => (inputs.metadata as { namespace: string }).namespace);
  expect(new Set(places)).toEqual(new Set(["mcp-fleet"]));
  expect(graph.find(({ name }) => name === "gateway-secret")?.inputs.stringData).toEqual({ secret: secrets });
});

test("a stack may be watched, in its namespace, and receivers are secret", async () => {
  const webhook = "https://alerts.example.com/hidden";
  const kubernetes = { tokenSecretName: "gateway", tokenSecretKey: "operator" };
  const monitoring = { platform: "kubernetes", notifications: { webhook }, kubernetes };
  const graph = await stackGraph("staging", { "mcp-fleet:secrets": secrets, "mcp-fleet:monitoring": monitoring });
  const children = graph.filter(({ parent }) => parent === "monitoring");
  expect(children.map(({ name, inputs }) => [name, (inputs.metadata as { namespace: string }).namespace])).toEqual([
    ["monitoring-dashboard", "mcp-fleet"],
    ["monitoring-monitor", "mcp-fleet"],
    ["monitoring-receivers", "mcp-fleet"],
    ["monitoring-routes", "mcp-fleet"],
    ["monitoring-rules", "mcp-fleet"],
  ]);
  expect(graph.find(({ name }) => name === "monitoring-receivers")?.inputs.stringData).toEqual({
    secret: { webhook },
  });
});

test.each(["docker", "systemd"])(
  "on %s Prometheus is given a token by the name of the stack's secret",
  async (stack) => {
    const token = "file:/run/secrets/mcp-fleet/operator";
    const added = { "mcp-fleet:monitoring": { platform: stack, [stack]: { token } } };
    const graph = await stackGraph(stack, { ...added, "mcp-fleet:secrets": { operator: "token-of-operator" } });
    const watcher = graph.find(({ name }) => name === "monitoring-prometheus-files" || name === "monitoring-units");
    expect(JSON.stringify(watcher?.inputs)).toContain('{"secret":"token-of-operator"}');
    const missing = stackGraph(stack, { ...added, "mcp-fleet:secrets": { another: "token" } });
    await expect(missing).rejects.toThrow(
      `stacks/Pulumi.${stack}.yaml: mcp-fleet:monitoring.${stack}.token names the secret "operator", which is not given; add mcp-fleet:secrets.operator`,
    );
  },
);

test("prod has one network for all, its secrets are encrypted, and nobody on the internet may call it", async () => {
  const graph = await stackGraph("prod", { "mcp-fleet:secrets": secrets });
  const services = graph.filter(({ type }) => type === "aws:ecs/service:Service");
  expect(services.map(({ name }) => name)).toEqual(["everything-service", "gateway-service", "sequential-service"]);
  const clusters = services.map(({ inputs }) => inputs.cluster);
  expect(new Set(clusters)).toEqual(new Set(["arn:aws:test:::network-cluster"]));
  expect(graph.find(({ name }) => name === "gateway-lb")?.inputs.internal).toBe(true);
  expect(graph.find(({ name }) => name === "gateway-secret-value")?.inputs.secretString).toEqual({
    secret: JSON.stringify(secrets),
  });
});

test("without its secrets staging is refused, naming each", async () => {
  await expect(stackGraph("staging")).rejects.toThrow(
    'MCPGateway "gateway": a reference names the secret "operator", which is not given; add secrets.operator, or correct it',
  );
});

test("a key that nothing reads is refused", async () => {
  await expect(stackGraph("dev", { "mcp-fleet:fleet": {} })).rejects.toThrow(
    "stacks/Pulumi.dev.yaml: mcp-fleet:fleet is not a known key; known keys are mcp-fleet:gateway, mcp-fleet:fleets",
  );
});
