import { expect, test } from "@jest/globals";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { EngineMessages, progressIn } from "../../scripts/engine-messages.ts";

const error = (message: string) =>
  ({ diagnosticEvent: { severity: "error", message, color: "never" } }) as unknown as EngineEvent;
const take = (...events: EngineEvent[]) => {
  const messages = new EngineMessages();
  for (const event of events) messages.take(event);
  return messages;
};

test("a refused property is told once, by its resource and reason, and is the user's to correct", () => {
  const text =
    "<{%reset%}>mcp-fleet:ProcessGateway resource 'gateway-gateway': property gateway value {map[port:{8080}]} has a problem: port 8080 is in use<{%reset%}>\n";
  const messages = take(error(text), error(text), error("preview failed"));
  expect([messages.errors, messages.badInput]).toEqual([["gateway-gateway: port 8080 is in use"], true]);
});

test("what only says that something failed is left out; a wrong argument is the user's to correct", () => {
  const messages = take(error('MCPGateway "gateway": fleets is an empty list'), error("update failed"));
  expect([messages.errors, messages.badInput]).toEqual([['MCPGateway "gateway": fleets is an empty list'], true]);
});

test("why a preview failed is told, though the provider begins with that word", () => {
  const conflict = 'conflict with "kubectl-set" using apps/v1: .spec.template.spec.containers[name="fleet"].image';
  const messages = take(error(`error: Preview failed: ${conflict}`), error("error: preview failed"));
  expect([messages.errors, messages.badInput]).toEqual([[conflict], false]);
});

test("what was made and does not work is told by its reason alone", () => {
  const text = "1 error occurred:\n\t* Deployment tools/gateway: the new version does not start\n\n";
  expect(take(error(text)).errors).toEqual(["Deployment tools/gateway: the new version does not start"]);
});

test.each([
  ["info#err", "waiting for the Deployment tools/gateway: 0 of 2 new pods are ready"],
  ["info", "Waiting for app ReplicaSet to be available (0/1 Pods available)"],
  ["warning", "[Pod tools/gateway-1]: containers with unready status: [gateway][ImagePullBackOff]"],
])("what is waited for is told as it comes (%s)", (severity, message) => {
  const event = { diagnosticEvent: { severity, message: `<{%reset%}>${message}<{%reset%}>\n`, color: "never" } };
  expect(progressIn(event as unknown as EngineEvent)).toBe(message);
});

test.each([
  ["an error, which is told at the end", { diagnosticEvent: { severity: "error", message: "no" } }],
  ["an empty line", { diagnosticEvent: { severity: "info", message: "<{%reset%}><{%reset%}>" } }],
  ["an event of another kind", { summaryEvent: { resourceChanges: {} } }],
])("%s is no progress", (_what, event) => {
  expect(progressIn(event as unknown as EngineEvent)).toBeUndefined();
});

test("a server that does not start is not the user's mistake", () => {
  const messages = take(error("context7: exit code 1"));
  expect([messages.errors, messages.badInput]).toEqual([["context7: exit code 1"], false]);
});

test("a gateway that a refresh found dead is remembered with its process", () => {
  const outputs = (status: string, pid?: number) => ({ outputs: { status, pid } });
  const messages = take({
    resOutputsEvent: { metadata: { old: outputs("running", 7), new: outputs("stopped") } },
  } as unknown as EngineEvent);
  expect(messages.diedPid).toBe(7);
});

test("the summary's counts are kept", () => {
  const messages = take({ summaryEvent: { resourceChanges: { same: 3, update: 1 } } } as unknown as EngineEvent);
  expect(messages.changes).toEqual({ same: 3, update: 1 });
});
