import { closest, distance } from "fastest-levenshtein";

/** Metrics that are made of others, as the specification's alert rules name them. */
export const madeMetrics = [
  "mcp_server_error_rate",
  "mcp_server_response_time_p50",
  "mcp_server_response_time_p95",
  "mcp_server_response_time_p99",
  "mcp_server_request_rate",
] as const;

/** Counters and gauges of a gateway's /metrics. A test holds them against a running gateway. */
const plainMetrics: readonly string[] = [
  "mcp_audit_failing",
  "mcp_audit_lost_total",
  "mcp_audit_waiting_bytes",
  "mcp_audit_waiting_bytes_max",
  "mcp_auth_cache",
  "mcp_auth_cache_max",
  "mcp_auth_failing",
  "mcp_auth_failing_max",
  "mcp_auth_refused_total",
  "mcp_auth_waiting",
  "mcp_auth_waiting_max",
  "mcp_authorization_denied_total",
  "mcp_bound_utilization",
  "mcp_cache_bytes",
  "mcp_cache_entries",
  "mcp_cache_requests_total",
  "mcp_cache_shared_failures_total",
  "mcp_cache_shared_forged_total",
  "mcp_call_repeats_total",
  "mcp_calls_shed_total",
  "mcp_certificate_expiry_seconds",
  "mcp_coalesced_total",
  "mcp_config_last_reload_successful",
  "mcp_connection_pool_utilization",
  "mcp_error_rate",
  "mcp_instance_events_total",
  "mcp_instance_limit_utilization",
  "mcp_instance_over_limit_total",
  "mcp_queue_length",
  "mcp_rate_limit_degraded_total",
  "mcp_rate_limited_total",
  "mcp_request_total",
  "mcp_server_changes_total",
  "mcp_server_health_status",
  "mcp_server_in_flight",
  "mcp_server_restarts",
  "mcp_server_waiting",
  "mcp_sessions",
  "mcp_sessions_max",
  "mcp_tool_integrity_total",
  "mcp_upstream_token_requests_total",
  "mcp_upstream_tokens",
  "nodejs_active_handles",
  "nodejs_active_handles_total",
  "nodejs_active_requests",
  "nodejs_active_requests_total",
  "nodejs_active_resources",
  "nodejs_active_resources_total",
  "nodejs_eventloop_lag_max_seconds",
  "nodejs_eventloop_lag_mean_seconds",
  "nodejs_eventloop_lag_min_seconds",
  "nodejs_eventloop_lag_p50_seconds",
  "nodejs_eventloop_lag_p90_seconds",
  "nodejs_eventloop_lag_p99_seconds",
  "nodejs_eventloop_lag_seconds",
  "nodejs_eventloop_lag_stddev_seconds",
  "nodejs_external_memory_bytes",
  "nodejs_heap_size_total_bytes",
  "nodejs_heap_size_used_bytes",
  "nodejs_heap_space_size_available_bytes",
  "nodejs_heap_space_size_total_bytes",
  "nodejs_heap_space_size_used_bytes",
  "nodejs_version_info",
  "process_cpu_seconds_total",
  "process_cpu_system_seconds_total",
  "process_cpu_user_seconds_total",
  "process_heap_bytes",
  "process_max_fds",
  "process_open_fds",
  "process_resident_memory_bytes",
  "process_start_time_seconds",
  "process_virtual_memory_bytes",
];
/** Its histograms: their own names are of no series. */
const histograms: readonly string[] = [
  "mcp_batch_size",
  "mcp_queue_wait_ms",
  "mcp_request_duration_ms",
  "mcp_upstream_batch_size",
  "nodejs_gc_duration_seconds",
];
const ofHistogram = ["_bucket", "_sum", "_count"];

/** Every series of a gateway's own that a rule can watch. */
export const gatewaySeries: readonly string[] = [
  ...plainMetrics,
  ...histograms.flatMap((name) => ofHistogram.map((end) => name + end)),
];

/** What is wrong with a rule's metric, and the fix; undefined for a series that exists. */
export function metricProblem(metric: string): string | undefined {
  const known = [...madeMetrics, ...gatewaySeries];
  if (known.includes(metric)) return undefined;
  if (histograms.includes(metric)) {
    const fix = `give ${ofHistogram.map((end) => metric + end).join(", ")}, or mcp_server_response_time_p95`;
    return `is "${metric}", a histogram without a series of that name; ${fix}`;
  }
  const near = closest(metric, known);
  const hint = distance(metric, near) <= Math.floor(metric.length / 3) ? `did you mean "${near}"?` : undefined;
  return `is "${metric}", which a gateway does not have; ${hint ?? "give one that its /metrics lists"}`;
}
