import { pageStyle } from "../pages/index.ts";

/** The report's style sheet. */
export const reportStyle = `${pageStyle}
h1 { margin: 0 0 4px; font-size: 26px; }
p { margin: 0 0 12px; color: var(--dim); }
pre { margin: 0 0 20px; padding: 10px 12px; background: var(--soft); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; }
figure > div { position: relative; height: 270px; }
th:first-child, td:first-child { text-align: left; }
.bad { color: var(--bad); white-space: normal; }
`;

/** Draws the charts from the page's data with Chart.js; runs in the browser. */
export const reportScript = `
const { targets, measurements } = JSON.parse(document.getElementById("data").textContent);
const sessions = [...new Set(measurements.map((one) => one.sessions))].sort((a, b) => a - b);
const colours = ["#2f6fde", "#e07a1f", "#2a9d6f", "#a44fc4", "#c9364f", "#6b7785"];
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
Chart.defaults.color = dark ? "#9aa4af" : "#57606a";
Chart.defaults.borderColor = dark ? "#2c323a" : "#e6e9ed";
Chart.defaults.animation = false;
const figures = (target, key) => sessions.map((count) =>
  measurements.find((one) => one.target === target && one.sessions === count)?.[key] ?? null);
const bars = (key) => targets.map((target, index) =>
  ({ label: target, data: figures(target, key), backgroundColor: colours[index % colours.length], maxBarThickness: 44 }));
const draw = (id, datasets, y) => {
  const canvas = document.getElementById(id);
  if (datasets.every(({ data }) => data.every((figure) => figure === null))) { canvas.closest("figure").remove(); return; }
  new Chart(canvas, {
    type: "bar",
    data: { labels: sessions.map((count) => count + (count === 1 ? " session" : " sessions")), datasets },
    options: { responsive: true, maintainAspectRatio: false, scales: { y }, plugins: { legend: { position: "bottom" } } },
  });
};
draw("throughput", bars("callsPerSecond"), { beginAtZero: true });
draw("latency", targets.flatMap((target, index) => {
  const colour = colours[index % colours.length];
  const line = { type: "line", label: target + " p99", data: figures(target, "p99Ms"), borderColor: colour };
  return [
    { ...line, backgroundColor: colour, pointRadius: 4, borderDash: [4, 3], order: 0 },
    { label: target + " p50", data: figures(target, "p50Ms"), backgroundColor: colour + "99", maxBarThickness: 44, order: 1 },
  ];
}), { type: "logarithmic" });
draw("cpu", bars("cpuUsPerCall"), { beginAtZero: true });
draw("memory", bars("rssMb"), { beginAtZero: true });
`;
