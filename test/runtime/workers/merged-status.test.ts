import { expect, test } from "@jest/globals";
import type { FleetStatus } from "../../../runtime/registry/fleet-status.ts";
import { mergedStatus } from "../../../runtime/workers/merged-status.ts";

const status = (more: Partial<FleetStatus>): FleetStatus => ({
  ...{ name: "web", type: "custom", version: "1", isolation: "shared", source: "http://127.0.0.1:1/mcp" },
  ...{ instances: { ready: 1, total: 1, max: 2 }, inFlight: 0, waiting: 0, restarts: 0 },
  ...{ health: "ready", tools: null, startupMs: null },
  ...more,
});

test("a fleet's figures are summed, and a worker that rests takes nothing from one that serves", () => {
  const busy = status({ inFlight: 3, waiting: 1, restarts: 2, tools: 7, startupMs: 20 });
  const idle = status({ health: "idle", instances: { ready: 0, total: 0, max: 2 }, startupMs: 9 });
  expect(mergedStatus([[busy], [idle]], [])).toEqual([
    status({ inFlight: 3, waiting: 1, restarts: 2, tools: 7, startupMs: 9, instances: { ready: 1, total: 1, max: 4 } }),
  ]);
});

test("one worker that fails makes the fleet fail, with its reason", () => {
  const failed = status({ health: "failed", error: "cannot be reached", instances: { ready: 0, total: 1, max: 2 } });
  expect(mergedStatus([[status({})], [failed]], [])).toEqual([
    status({ health: "failed", error: "cannot be reached", instances: { ready: 1, total: 2, max: 4 } }),
  ]);
});

test("of processes only the supervisor's word counts; the order is that of the names", () => {
  const processes = status({ name: "stdio", instances: { ready: 3, total: 4, max: 4 } });
  const links = status({ name: "stdio", instances: { ready: 9, total: 9, max: 9 } });
  expect(mergedStatus([[status({}), links]], [processes])).toEqual([processes, status({})]);
});
