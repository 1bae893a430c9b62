import { type Expression, errorRatio, p95, quantile, series } from "./expressions.ts";
import type { Scope } from "./scope.ts";

/** One line of a panel: its text, and the PromQL behind it. */
type Target = readonly [legend: string, expr: Expression];

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly targets: readonly Target[];
}

const byServer = "{{server}}";
const panels: readonly Panel[] = [
  {
    title: "Calls per second",
    unit: "reqps",
    targets: [[byServer, ({ only }) => `sum by (server) (rate(${series("mcp_request_total", only)}[5m]))`]],
  },
  {
    title: "Share of calls that fail",
    unit: "percentunit",
    targets: [[byServer, ({ only }) => errorRatio("5m", only)]],
  },
  {
    title: "Time of a call",
    unit: "ms",
    targets: [
      ["p50 {{server}}", ({ only }) => quantile(0.5, "5m", only)],
      ["p95 {{server}}", ({ only }) => p95("5m", only)],
    ],
  },
  {
    title: "In flight and waiting",
    unit: "short",
    targets: [
      ["in flight {{server}}", ({ only }) => `sum by (server) (${series("mcp_server_in_flight", only)})`],
      ["waiting {{server}}", ({ only }) => `sum by (server) (${series("mcp_server_waiting", only)})`],
    ],
  },
  {
    title: "Servers that are ready",
    unit: "short",
    targets: [[byServer, ({ only }) => `max by (server) (${series("mcp_server_health_status", only)})`]],
  },
  {
    title: "Pool",
    unit: "percentunit",
    targets: [[byServer, ({ only }) => series("mcp_connection_pool_utilization", only)]],
  },
  { title: "Sessions", unit: "short", targets: [["sessions", ({ only }) => `sum(${series("mcp_sessions", only)})`]] },
  {
    title: "What happens to instances",
    unit: "short",
    targets: [
      [
        "{{event}} {{server}}",
        ({ only }) => `sum by (server, event) (increase(${series("mcp_instance_events_total", only)}[5m])) > 0`,
      ],
    ],
  },
];

const [width, height, perRow] = [12, 8, 2];

/** Grafana's dashboard of one stack (schema version 39), as its JSON is written. */
export function dashboard(uid: string, title: string, scope: Scope): object {
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
      targets: targets.map(([legendFormat, expr], at) => ({
        refId: String.fromCharCode(65 + at),
        expr: expr(scope),
        legendFormat,
      })),
    })),
  };
}
