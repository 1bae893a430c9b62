import { expect, test } from "@jest/globals";
import { type FleetGauges, Metrics } from "../../../runtime/observability/metrics.ts";
import { MetricsLog } from "../../../runtime/observability/metrics-log.ts";

const fleet: FleetGauges = {
  ...{ name: "notes", health: 1, utilization: 1, inFlight: 4, waiting: 0, restarts: 0 },
};

/** A gateway's metrics, and what is told of them with each line. */
function started(fleets: readonly FleetGauges[] = [fleet]) {
  const metrics = new Metrics(
    () => fleets,
    () => ({ live: 3, max: 100 }),
  );
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = new MetricsLog({ namespace: "shop" }, { read: () => metrics.json(), write, clock: () => 1000 });
  const tell = async () => {
    lines.length = 0;
    await log.tell();
    return lines.map((line) => JSON.parse(line));
  };
  return { metrics, tell };
}

test("a line for each server and one for the gateway, as CloudWatch reads them", async () => {
  const { metrics, tell } = started();
  const calls = metrics.callsOf("notes");
  for (const ms of [3, 4, 700]) calls.ended("tools/call", "ok", ms);
  calls.ended("tools/list", "request_timeout", 90_000);
  calls.ended("tools/list", "cancelled", 1);
  metrics.callShed("notes");
  metrics.instanceEvent("notes", "fleet-circuit-open");
  metrics.instanceEvent("notes", "lost");
  metrics.instanceEvent("other", "lost");
  const [notes, gateway, ...more] = await tell();
  expect(more).toEqual([]);
  expect(notes).toEqual({
    _aws: {
      Timestamp: 1000,
      CloudWatchMetrics: [
        {
          Namespace: "shop",
          // For the server, and for all together.
          Dimensions: [["server"], []],
          Metrics: [
            { Name: "mcp_server_health_status", Unit: "None" },
            { Name: "mcp_connection_pool_utilization", Unit: "None" },
            { Name: "mcp_server_in_flight", Unit: "None" },
            { Name: "mcp_server_waiting", Unit: "None" },
            { Name: "mcp_server_saturation", Unit: "None" },
            { Name: "mcp_request_total", Unit: "Count" },
            { Name: "mcp_request_failed_total", Unit: "Count" },
            { Name: "mcp_server_error_rate", Unit: "None" },
            { Name: "mcp_server_response_time_p50", Unit: "Milliseconds" },
            { Name: "mcp_server_response_time_p95", Unit: "Milliseconds" },
            { Name: "mcp_server_response_time_p99", Unit: "Milliseconds" },
            { Name: "mcp_calls_shed_total", Unit: "Count" },
            { Name: "mcp_circuits_opened_total", Unit: "Count" },
            { Name: "mcp_instances_lost_total", Unit: "Count" },
          ],
        },
      ],
    },
    server: "notes",
    mcp_server_health_status: 1,
    mcp_connection_pool_utilization: 1,
    mcp_server_in_flight: 4,
    mcp_server_waiting: 0,
    mcp_server_saturation: 0,
    mcp_request_total: 4,
    mcp_request_failed_total: 1,
    mcp_server_error_rate: 0.25,
    // Of five durations, two lie between 2 and 5 ms; what lies beyond the last bound is that bound.
    mcp_server_response_time_p50: 4.25,
    mcp_server_response_time_p95: 60_000,
    mcp_server_response_time_p99: 60_000,
    mcp_calls_shed_total: 1,
    mcp_circuits_opened_total: 1,
    mcp_instances_lost_total: 1,
  });
  expect(gateway).toMatchObject({
    mcp_sessions: 3,
    mcp_sessions_max: 100,
    mcp_bound_utilization: 0,
    mcp_rate_limit_degraded_total: 0,
  });
  expect(gateway._aws.CloudWatchMetrics[0].Dimensions).toEqual([[]]);
});

test("what was told is not told again; a server that nobody called has neither times nor a share of failures", async () => {
  const { metrics, tell } = started();
  metrics.callsOf("notes").ended("tools/call", "error", 10);
  expect((await tell())[0]).toMatchObject({ mcp_request_total: 1, mcp_request_failed_total: 1 });
  const [idle] = await tell();
  expect(idle).toMatchObject({ mcp_request_total: 0, mcp_request_failed_total: 0, mcp_calls_shed_total: 0 });
  expect(Object.keys(idle).filter((name) => /rate|time/.test(name))).toEqual([]);
  metrics.callsOf("notes").ended("tools/call", "ok", 10);
  expect((await tell())[0]).toMatchObject({ mcp_request_total: 1, mcp_server_error_rate: 0 });
});

test("a full pool is saturated when callers wait", async () => {
  const [busy] = await started([{ ...fleet, utilization: 0.95, waiting: 2 }]).tell();
  expect(busy).toMatchObject({ mcp_server_saturation: 0.95 });
});
