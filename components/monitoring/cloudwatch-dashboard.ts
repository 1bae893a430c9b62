/** One line of a panel: a metric, and how a period's data points become one figure. */
type Line = readonly [metric: string, statistic: "Sum" | "Maximum" | "Minimum" | "Average"];

const panels: readonly { readonly title: string; readonly lines: readonly Line[]; readonly gateway?: boolean }[] = [
  { title: "Calls per minute", lines: [["mcp_request_total", "Sum"]] },
  { title: "Share of calls that fail", lines: [["mcp_server_error_rate", "Maximum"]] },
  {
    title: "Time of a call (ms)",
    lines: [
      ["mcp_server_response_time_p50", "Maximum"],
      ["mcp_server_response_time_p95", "Maximum"],
    ],
  },
  {
    title: "In flight and waiting",
    lines: [
      ["mcp_server_in_flight", "Sum"],
      ["mcp_server_waiting", "Sum"],
    ],
  },
  { title: "Servers that are ready", lines: [["mcp_server_health_status", "Minimum"]] },
  { title: "Pool", lines: [["mcp_connection_pool_utilization", "Maximum"]] },
  { title: "Sessions", lines: [["mcp_sessions", "Sum"]], gateway: true },
  {
    title: "What happens to instances",
    lines: [
      ["mcp_instances_lost_total", "Sum"],
      ["mcp_circuits_opened_total", "Sum"],
    ],
  },
];

const [width, height, perRow, periodSeconds] = [12, 6, 2, 60];

/** CloudWatch's dashboard of one gateway, as its JSON is written: every server that has written metrics has its line. */
export function cloudWatchDashboard(namespace: string, region: string): object {
  const searched = ([metric, statistic]: Line, index: number) => [
    {
      expression: `SEARCH('{"${namespace}",server} MetricName="${metric}"', '${statistic}', ${periodSeconds})`,
      id: `line${index + 1}`,
    },
  ];
  const plain = ([metric, stat]: Line) => [namespace, metric, { stat, period: periodSeconds }];
  return {
    widgets: panels.map(({ title, lines, gateway }, index) => ({
      type: "metric",
      ...{ x: (index % perRow) * width, y: Math.floor(index / perRow) * height, width, height },
      properties: {
        ...{ title, region, view: "timeSeries", yAxis: { left: { min: 0 } } },
        metrics: gateway === true ? lines.map(plain) : lines.map(searched),
      },
    })),
  };
}
