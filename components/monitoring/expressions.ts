/** Share of a server's calls that failed, over a window. Calls that their clients gave up are neither good nor bad. */
export const errorRatio = (window: string, selector = ""): string => {
  const only = selector === "" ? "" : `,${selector}`;
  const failed = `sum by (server) (rate(mcp_request_total{status!~"ok|cancelled"${only}}[${window}]))`;
  const ended = `sum by (server) (rate(mcp_request_total{status!="cancelled"${only}}[${window}]))`;
  // A server whose calls all went well has no failures to add up: its share is 0, not missing.
  return `(${failed} or ${ended} * 0) / (${ended} > 0)`;
};

/** A quantile of a server's calls, in milliseconds. */
export const quantile = (of: number, window: string, selector = ""): string => {
  const all = selector === "" ? "" : `{${selector}}`;
  return `histogram_quantile(${of}, sum by (server, le) (rate(mcp_request_duration_ms_bucket${all}[${window}])))`;
};

export const p95 = (window: string): string => quantile(0.95, window);
