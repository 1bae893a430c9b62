import { expect, test } from "@jest/globals";
import { dashboardView } from "../../../../runtime/observability/dashboard/view.ts";
import type { FleetStatus } from "../../../../runtime/registry/fleet-status.ts";

const status = { name: "notes", health: "ready", inFlight: 2 } as FleetStatus;
const outcome = (server: string, method: string, of: string, value: number) => ({
  value,
  labels: { server, method, status: of },
});
const bucket = (server: string, method: string, le: number | string, value: number) => ({
  value,
  labels: { server, method, le },
  metricName: "mcp_request_duration_ms_bucket",
});

test("joins the calls of a server's methods with what its fleet says", () => {
  const samples = [
    {
      name: "mcp_request_total",
      values: [
        outcome("notes", "tools/call", "ok", 7),
        outcome("notes", "tools/list", "ok", 2),
        outcome("notes", "tools/call", "TIMEOUT", 1),
        outcome("other", "tools/call", "ok", 99),
      ],
    },
    {
      name: "mcp_request_duration_ms",
      values: [
        bucket("notes", "tools/call", "+Inf", 8),
        bucket("notes", "tools/call", 1, 5),
        bucket("notes", "tools/list", 1, 2),
        bucket("notes", "tools/list", "+Inf", 2),
        bucket("other", "tools/call", 1, 99),
        { value: 31, labels: { server: "notes" }, metricName: "mcp_request_duration_ms_sum" },
      ],
    },
    { name: "mcp_sessions", values: [{ value: 3, labels: {} }] },
  ];
  expect(dashboardView({ at: 5, version: "1" }, [status], samples)).toEqual({
    ...{ at: 5, version: "1", sessions: 3 },
    servers: [
      {
        ...status,
        calls: 10,
        failed: 1,
        durations: [
          [1, 7],
          [null, 10],
        ],
      },
    ],
  });
});

test("before the first call there is nothing to count", () => {
  expect(dashboardView({ at: 5, version: "1" }, [status], [])).toEqual({
    ...{ at: 5, version: "1", sessions: 0 },
    servers: [{ ...status, calls: 0, failed: 0, durations: [] }],
  });
});
