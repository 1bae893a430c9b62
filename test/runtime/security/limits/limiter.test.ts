import { expect, test } from "@jest/globals";
import { Registry } from "prom-client";
import { SecurityMetrics } from "../../../../runtime/observability/security-metrics.ts";
import { Exchange } from "../../../../runtime/protocol/exchange.ts";
import type { ToolDescription } from "../../../../runtime/registry/catalog.ts";
import type { FleetClient } from "../../../../runtime/registry/fleet.ts";
import type { ToolLists } from "../../../../runtime/security/limits/counted-tool.ts";
import { type CallerBounds, Limiter } from "../../../../runtime/security/limits/limiter.ts";
import { LocalBuckets } from "../../../../runtime/security/limits/local-buckets.ts";

const client: FleetClient = { owner: "session", caller: "alice" };
const listOf = (...names: string[]) => ({
  toolCount: names.length,
  tool: (name: string) => (names.includes(name) ? ({ name } as ToolDescription) : undefined),
});
/** Counts calls of alice to tools of one server, three of each tool an hour; true for one that may be made. */
function counting(lists: ToolLists, tools: Record<string, { maxRequests: number; windowMs: number }> = {}) {
  const metrics = new SecurityMetrics(new Registry(), () => ({}) as never);
  const limits = { tool: { windowMs: 3_600_000, maxRequests: 3 } };
  const limiter = new Limiter({ limits, limitsOf: () => ({ tools }), store: new LocalBuckets(() => 0), metrics });
  const kept: CallerBounds = new Map();
  return (tool: string) => {
    try {
      void limiter.admit(limiter.boundsOfTool("alice", kept, "s", tool, lists, client), new Exchange(1000));
      return true;
    } catch {
      return false;
    }
  };
}

test("a caller does not get past the limit of a tool by calling tools that do not exist", () => {
  const catalog = listOf("dear", "cheap");
  const may = counting({ catalog, catalogFor: () => catalog });
  expect(["dear", "dear", "dear", "dear"].map(may)).toEqual([true, true, true, false]);
  // As many names as there are counters.
  let passed = 0;
  for (let count = 0; count < 100_001; count += 1) if (may(`invented ${count}`)) passed += 1;
  expect([passed, may("dear"), may("cheap")]).toEqual([3, false, true]);
});

test("a tool of an instance that a caller has to itself, one with a limit of its own, and all before the list was read count alone", () => {
  const catalog = listOf("dear");
  const own = listOf("own");
  const may = counting({ catalog, catalogFor: () => own }, { named: { maxRequests: 2, windowMs: 1000 } });
  for (let count = 0; count < 3; count += 1) may("invented");
  expect(["other", "own", "own", "own", "own"].map(may)).toEqual([false, true, true, true, false]);
  expect(["named", "named", "named"].map(may)).toEqual([true, true, false]);
  const unread = counting({ catalog: { ...listOf(), toolCount: undefined }, catalogFor: () => catalog });
  expect(["a", "a", "a", "a", "b"].map(unread)).toEqual([true, true, true, false, true]);
});
