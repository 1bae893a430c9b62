import { expect, test } from "@jest/globals";
import type { InstanceStatus } from "../../../runtime/registry/fleet-instances.ts";
import { mergedInstances } from "../../../runtime/workers/merged-instances.ts";

const instance = (id: string, more: Partial<InstanceStatus> = {}): InstanceStatus => ({
  ...{ id, address: `http://${id}/mcp`, state: "ready", weight: 1, inFlight: 0, latencyMs: null },
  ...more,
});
const event = (at: string, name: "added" | "ready") => ({ at, event: name, instance: "a" });

test("calls are summed, the worse state and the slower latency stand, events are in their order", () => {
  const view = mergedInstances([
    {
      server: "echo",
      instances: [instance("a", { inFlight: 2, latencyMs: 4 }), instance("b")],
      events: [event("2026-01-01T00:00:00Z", "added"), event("2026-01-01T00:00:02Z", "ready")],
    },
    {
      server: "echo",
      instances: [instance("a", { inFlight: 3, latencyMs: 9, state: "unhealthy", reason: "no answer" }), instance("c")],
      events: [event("2026-01-01T00:00:01Z", "added")],
    },
  ]);
  expect(view).toEqual({
    server: "echo",
    instances: [
      instance("a", { inFlight: 5, latencyMs: 9, state: "unhealthy", reason: "no answer" }),
      instance("b"),
      instance("c"),
    ],
    events: [
      event("2026-01-01T00:00:00Z", "added"),
      event("2026-01-01T00:00:01Z", "added"),
      event("2026-01-01T00:00:02Z", "ready"),
    ],
  });
});
