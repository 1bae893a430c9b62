import { expect, test } from "@jest/globals";
import { AggregatorRegistry, Histogram, Registry } from "prom-client";
import { CallMetrics } from "../../../runtime/observability/call-metrics.ts";
import { HistogramSeries, registerHistogram } from "../../../runtime/observability/histogram-series.ts";

const about = { name: "mcp_some_ms", help: "Something that takes time." };

test("a histogram of series reads as the library's own does, alone and summed over processes", async () => {
  const [own, library] = [new Registry(), new Registry()];
  const bounds = [1, 2, 5];
  const series = [new HistogramSeries(bounds), new HistogramSeries(bounds)] as const;
  registerHistogram(own, about, () => [
    [{ server: "a" }, series[0]],
    [{ server: "b" }, series[1]],
  ]);
  const histogram = new Histogram({ ...about, labelNames: ["server"], buckets: bounds, registers: [library] });
  for (const value of [0, 0.5, 1, 1.5, 2, 4.25, 5, 5.5, 1000]) {
    series[0].observe(value);
    histogram.observe({ server: "a" }, value);
  }
  series[1].observe(3);
  histogram.observe({ server: "b" }, 3);
  expect(await own.metrics()).toBe(await library.metrics());
  const summed = async (registry: Registry) => {
    const json = (await registry.getMetricsAsJSON()) as object[];
    return AggregatorRegistry.aggregate([json, json]).metrics();
  };
  expect(await summed(own)).toBe(await summed(library));
});

test("calls are counted by server, method and outcome; methods that clients invent are one", async () => {
  const registry = new Registry();
  const metrics = new CallMetrics(registry, () => [{ name: "a" }, { name: "idle" }]);
  const counts = metrics.of("a");
  counts.ended("tools/call", "ok", 3);
  counts.ended("tools/call", "ok", 4);
  counts.ended("tools/call", "error", 1);
  counts.ended("made/up", "request_timeout", 70_000);
  expect(metrics.of("a")).toBe(counts);
  const lines = (await registry.metrics())
    .split("\n")
    .filter((line) => /^mcp_(request_total|error_rate|\w+_(sum|count))\b/.test(line));
  expect(lines).toEqual([
    'mcp_request_duration_ms_sum{server="a",method="tools/call"} 8',
    'mcp_request_duration_ms_count{server="a",method="tools/call"} 3',
    'mcp_request_duration_ms_sum{server="a",method="other"} 70000',
    'mcp_request_duration_ms_count{server="a",method="other"} 1',
    'mcp_request_total{server="a",method="tools/call",status="ok"} 2',
    'mcp_request_total{server="a",method="tools/call",status="error"} 1',
    'mcp_request_total{server="a",method="other",status="request_timeout"} 1',
    'mcp_error_rate{server="a"} 0.5',
    'mcp_error_rate{server="idle"} 0',
  ]);
});

test("the error rate is that of the last hundred calls", () => {
  const counts = new CallMetrics(new Registry(), () => []).of("a");
  for (let call = 0; call < 150; call += 1) counts.ended("ping", call < 75 ? "error" : "ok", 1);
  expect(counts.errorRate).toBe(0.25);
});
