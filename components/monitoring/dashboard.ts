import { errorRatio, p95, quantile } from "./expressions.ts";

/** One line of a panel: its text, and the PromQL behind it. */
type Target = readonly [legend: string, expr: string];

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly targets: readonly Target[];
}

const byServer = "{{server}}";
const panels: readonly Panel[] = [
  { title: "Calls per second", unit: "reqps", targets: [[byServer, "sum by (server) (rate(mcp_request_total[5m]))"]] },
  { title: "Share of calls that fail", unit: "percentunit", targets: [[byServer, errorRatio("5m")]] },
  {
    title: "Time of a call",
    unit: "ms",
    targets: [
      ["p50 {{server}}", quantile(0.5, "5m")],
      ["p95 {{server}}", p95("5m")],
    ],
  },
  {
    title: "In flight and waiting",
    unit: "short",
    targets: [
      ["in flight {{server}}", "sum by (server) (mcp_server_in_flight)"],
      ["waiting {{server}}", "sum by (server) (mcp_server_waiting)"],
    ],
  },
  {
    title: "Servers that are ready",
    unit: "short",
    targets: [[byServer, "max by (server) (mcp_server_health_status)"]],
  },
  { title: "Pool", unit: "percentunit", targets: [[byServer, "mcp_connection_pool_utilization"]] },
  { title: "Sessions", unit: "short", targets: [["sessions", "sum(mcp_sessions)"]] },
  {
    title: "What happens to instances",
    unit: "short",
    targets: [["{{event}} {{server}}", "sum by (server, event) (increase(mcp_instance_events_total[5m])) > 0"]],
  },
];

const [width, height, perRow] = [12, 8, 2];

/** Grafana's dashboard of one gateway (schema version 39), as its JSON is written. */
export function dashboard(uid: string, title: string): object {
  return {
    uid,
    title,
    tags: ["mcp-fleet"],
    schemaVersion: 39,
    refresh: "30s",
    time: { from: "now-3h", to: "now" },
    templating: { list: [{ name: "datasource", type: "datasource", query: "prometheus", label: "Data source" }] },
    panels: panels.map(({ title: name, unit, targets }, index) => ({
      id: index + 1,
      title: name,
      type: "timeseries",
      datasource: { type: "prometheus", uid: "${datasource}" },
      gridPos: { x: (index % perRow) * width, y: Math.floor(index / perRow) * height, w: width, h: height },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: targets.map(([legendFormat, expr], at) => ({ refId: String.fromCharCode(65 + at), expr, legendFormat })),
    })),
  };
}
