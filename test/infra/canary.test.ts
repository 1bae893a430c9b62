import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { GraphNode } from "../support/graph.ts";
import { stackGraph } from "../support/stack-graph.ts";

// What a stack's state would hold in plain text, with words for secrets that must be in none of it. Inputs that Pulumi
// encrypts stand as `{ secret: value }` in the graph.
const canary = {
  operator: "canary-operator-token-4801",
  session: "canary-session-key-4802",
  webhook: "https://alerts.example.com/canary-webhook-4803",
};
const before = process.env.MCP_FLEET_STATE;
beforeAll(() => {
  process.env.MCP_FLEET_STATE = "/state";
});
afterAll(() => {
  process.env.MCP_FLEET_STATE = before;
});

const isSecret = (value: unknown): value is { secret: unknown } =>
  typeof value === "object" && value !== null && Object.keys(value).join() === "secret";
const withoutSecrets = (_key: string, value: unknown) => (isSecret(value) ? "[secret]" : value);
const found = (text: string) => Object.entries(canary).flatMap(([name, word]) => (text.includes(word) ? [name] : []));

const { operator, session, webhook } = canary;
const monitored = (platform: string) => ({ platform, notifications: { webhook } });

test.each<[string, Record<string, unknown>, string[]]>([
  ["systemd", { secrets: { operator } }, ["operator"]],
  ["docker", { secrets: { operator } }, ["operator"]],
  [
    "staging",
    {
      secrets: { operator, session },
      monitoring: { ...monitored("kubernetes"), kubernetes: { tokenSecretName: "gateway" } },
    },
    Object.keys(canary),
  ],
  ["prod", { secrets: { operator, session }, monitoring: monitored("aws") }, Object.keys(canary)],
])("no secret of the stack %s, its dashboard included, is in plain text in its state", async (stack, added, given) => {
  const keys = Object.entries(added).map(([key, value]) => [`mcp-fleet:${key}`, value]);
  const graph: GraphNode[] = await stackGraph(stack, Object.fromEntries(keys));
  // The search finds what is there.
  expect(found(JSON.stringify(graph))).toEqual(given);
  const plain = JSON.stringify(graph, withoutSecrets);
  expect(found(plain)).toEqual([]);
  expect(plain.includes("monitoring-dashboard")).toBe("monitoring" in added);
});
