import { expect, test } from "@jest/globals";
import { AggregatorRegistry, Registry } from "prom-client";
import { type Bound, Bounds } from "../../../runtime/observability/bounds.ts";
import { Metrics } from "../../../runtime/observability/metrics.ts";

const used = (name: string, size: number, max: number): Bound => ({
  name,
  whenFull: "refuse",
  use: () => ({ size, max }),
});

async function lines(registry: { metrics(): Promise<string> }): Promise<string[]> {
  return (await registry.metrics()).split("\n").filter((line) => line.startsWith("mcp_bound_utilization"));
}

test("a scrape says how near each bound is, of the gateway and of each server", async () => {
  const registry = new Registry();
  const bounds = new Bounds(registry);
  let size = 5;
  bounds.hold({ name: "sessions", whenFull: "evict", use: async () => ({ size, max: 10 }) });
  let servers = ["notes", "weather"];
  bounds.holdEach(() => servers.map((server) => [server, [used("queue", 3, 4)]]));
  expect(await lines(registry)).toEqual([
    'mcp_bound_utilization{bound="sessions",server="",when_full="evict"} 0.5',
    'mcp_bound_utilization{bound="queue",server="notes",when_full="refuse"} 0.75',
    'mcp_bound_utilization{bound="queue",server="weather",when_full="refuse"} 0.75',
  ]);
  size = 10;
  servers = [];
  expect(await lines(registry)).toEqual(['mcp_bound_utilization{bound="sessions",server="",when_full="evict"} 1']);
});

test("what has no bound is never near it", async () => {
  const registry = new Registry();
  new Bounds(registry).hold(used("none", 7, 0), used("endless", 7, Number.POSITIVE_INFINITY));
  expect(await lines(registry)).toEqual([
    'mcp_bound_utilization{bound="none",server="",when_full="refuse"} 0',
    'mcp_bound_utilization{bound="endless",server="",when_full="refuse"} 0',
  ]);
});

test("of several processes the fullest one counts", async () => {
  const processes = [2, 9, 4].map((size) => {
    const metrics = new Metrics(
      () => [],
      () => ({ live: 0, max: 1 }),
    );
    metrics.bounds.hold(used("sessions", size, 10));
    return metrics;
  });
  const all = AggregatorRegistry.aggregate(await Promise.all(processes.map((metrics) => metrics.json())));
  expect(await lines(all)).toEqual(['mcp_bound_utilization{bound="sessions",server="",when_full="refuse"} 0.9']);
});
