import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { chartFile } from "../pages/index.ts";
import { identity } from "../version.ts";
import type { Measurement } from "./measure.ts";
import { reportScript, reportStyle } from "./report-page.ts";
import { errorCount } from "./table.ts";

/** A run of `mcp-fleet bench`, as its JSON file holds it and its HTML file shows it. */
export interface BenchReport {
  /** ISO 8601. */
  readonly at: string;
  readonly machine: string;
  /** How to make it again. */
  readonly command: string;
  readonly rounds: number;
  /** Was the text in each answer compared with the one that was sent? */
  readonly echoes: boolean;
  /** Medians of the rounds. */
  readonly measurements: readonly Measurement[];
}

/** The machine, as far as its figures depend on it. */
export function describeMachine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? process.arch}, Node.js ${process.versions.node}`;
}

/** One HTML page with tables and charts that needs nothing from the network. */
export function htmlReport(report: BenchReport): string {
  const targets = [...new Set(report.measurements.map(({ target }) => target))];
  const checked = report.echoes ? "status, id and echoed text of every answer" : "status and id of every answer";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${identity.name} bench, ${escaped(report.at)}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<h1>${identity.name} bench</h1>
<p>${escaped(report.at)} · ${escaped(report.machine)} · median of ${report.rounds} interleaved rounds · checked: ${checked}</p>
<pre>${escaped(report.command)}</pre>
<section class="charts">
<figure><figcaption>Calls per second</figcaption><div><canvas id="throughput"></canvas></div></figure>
<figure><figcaption>Latency in ms: bar p50, line p99 (logarithmic)</figcaption><div><canvas id="latency"></canvas></div></figure>
<figure><figcaption>CPU µs per call</figcaption><div><canvas id="cpu"></canvas></div></figure>
<figure><figcaption>Memory in MB</figcaption><div><canvas id="memory"></canvas></div></figure>
</section>
<div class="wide"><table>
<thead><tr><th>target<th>sessions<th>calls/s<th>p50 ms<th>p95 ms<th>p99 ms<th>max ms<th>CPU µs/call<th>RSS MB<th>calls<th>errors</thead>
<tbody>
${report.measurements.map(row).join("\n")}
</tbody>
</table></div>
</main>
<script>${readFileSync(chartFile(), "utf8").replaceAll("</script", "<\\/script")}</script>
<script type="application/json" id="data">${JSON.stringify({ targets, measurements: report.measurements }).replaceAll("<", "\\u003c")}</script>
<script>${reportScript}</script>
</body>
</html>
`;
}

function row(one: Measurement): string {
  const figures = [
    one.sessions,
    Math.round(one.callsPerSecond),
    ...[one.p50Ms, one.p95Ms, one.p99Ms, one.maxMs].map((ms) => ms.toFixed(2)),
    one.cpuUsPerCall?.toFixed(1) ?? "–",
    one.rssMb?.toFixed(0) ?? "–",
    one.calls,
  ];
  const errors = errorCount(one);
  const what = escaped(Object.keys(one.errors).join("; "));
  const last = errors === 0 ? "<td>0" : `<td class="bad" title="${what}">${errors}: ${what}`;
  return `<tr><td>${escaped(one.target)}${figures.map((figure) => `<td>${figure}`).join("")}${last}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
