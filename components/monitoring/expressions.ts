import type { Scope } from "./scope.ts";

/** PromQL over the series of one stack. */
export type Expression = (scope: Scope) => string;

/** A metric's series, narrowed by label matchers: `series("up", 'job="a"')` is `up{job="a"}`. Empty matchers are left out. */
export function series(metric: string, ...matchers: readonly string[]): string {
  const given = matchers.filter((matcher) => matcher !== "");
  return given.length === 0 ? metric : `${metric}{${given.join(",")}}`;
}

/** Share of a server's calls that failed, over a window. Calls that their clients gave up are neither good nor bad. */
export const errorRatio = (window: string, only = ""): string => {
  const of = (status: string) => `sum by (server) (rate(${series("mcp_request_total", status, only)}[${window}]))`;
  const failed = of('status!~"ok|cancelled"');
  const ended = of('status!="cancelled"');
  // A server whose calls all went well has no failures to add up: its share is 0, not missing.
  return `(${failed} or ${ended} * 0) / (${ended} > 0)`;
};

/** A quantile of a server's calls, in milliseconds. */
export const quantile = (of: number, window: string, only = ""): string => {
  const buckets = series("mcp_request_duration_ms_bucket", only);
  return `histogram_quantile(${of}, sum by (server, le) (rate(${buckets}[${window}])))`;
};

/** The 95th percentile of a server's calls, in milliseconds. */
export const p95 = (window: string, only = ""): string => quantile(0.95, window, only);
