import { pageStyle } from "../../pages/index.ts";
import { identity } from "../../version.ts";

/** The page; it holds no data. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${identity.name}</title>
<link rel="stylesheet" href="dashboard/page.css">
</head>
<body>
<main>
<header><h1>${identity.name}</h1><p id="state" role="status">connecting…</p></header>
<form id="login" hidden>
<label for="token">Token</label>
<input id="token" type="password" autocomplete="off" required>
<button>Show</button>
<p>It is kept in this tab's memory only.</p>
</form>
<section class="charts">
<figure><figcaption>Calls per second</figcaption><div><canvas id="calls"></canvas></div></figure>
<figure><figcaption>95th percentile, ms</figcaption><div><canvas id="latency"></canvas></div></figure>
</section>
<div class="wide"><table>
<thead><tr><th>Server</th><th>Version</th><th>Health</th><th>Instances</th><th>In flight</th><th>Waiting</th><th>Calls</th><th>Failed</th><th>Restarts</th><th>Tools</th></tr></thead>
<tbody id="servers"></tbody>
</table></div>
</main>
<script src="dashboard/chart.js"></script>
<script src="dashboard/page.js"></script>
</body>
</html>
`;

/** Its style sheet. */
export const style = `${pageStyle}
:root { --good: light-dark(#1d7a4d, #6fd6a4); }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px; margin-bottom: 16px; }
h1 { margin: 0; font-size: 26px; }
p { margin: 0; color: var(--dim); }
form { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin-bottom: 20px; padding: 12px 14px; background: var(--soft); border: 1px solid var(--line); border-radius: 8px; }
form[hidden] { display: none; }
input, button { font: inherit; padding: 4px 10px; border: 1px solid var(--line); border-radius: 6px; }
figure > div { position: relative; height: 240px; }
th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; }
td.reason { white-space: normal; text-align: left; color: var(--bad); border-bottom: 1px solid var(--line); }
.ready, .idle { color: var(--good); }
.unready { color: var(--bad); }
`;

/** Asks for the view every two seconds and draws it with Chart.js; runs in the browser. Texts of servers are never markup. */
export const script = `
const everyMs = 2000, kept = 150;
const colours = ["#2f6fde", "#e07a1f", "#2a9d6f", "#a44fc4", "#c9364f", "#6b7785", "#0f8b9d", "#b08900"];
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
Chart.defaults.color = dark ? "#9aa4af" : "#57606a";
Chart.defaults.borderColor = dark ? "#2c323a" : "#e6e9ed";
Chart.defaults.animation = false;
const byId = (id) => document.getElementById(id);
const line = (id) => new Chart(byId(id), {
  type: "line",
  data: { labels: [], datasets: [] },
  options: {
    responsive: true, maintainAspectRatio: false, elements: { point: { radius: 0 } },
    scales: { x: { ticks: { maxTicksLimit: 6 } }, y: { beginAtZero: true } }, plugins: { legend: { position: "bottom" } },
  },
});
const charts = { calls: line("calls"), latency: line("latency") };
let token, before;

byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token").value;
  look();
});

function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function rows(servers) {
  return servers.flatMap((server) => {
    const { name, version, health, instances, inFlight, waiting, calls, failed, restarts, tools, error } = server;
    const row = document.createElement("tr");
    const figures = [instances.ready + " of " + instances.total, inFlight, waiting, calls, failed, restarts, tools ?? "–"];
    const well = health === "ready" || health === "idle" || health === "starting";
    row.append(element("td", name), element("td", version), element("td", health, well ? health : "unready"));
    row.append(...figures.map((figure) => element("td", String(figure))));
    if (error === undefined) return [row];
    const reason = document.createElement("tr");
    reason.append(element("td", error, "reason"));
    reason.firstChild.colSpan = 10;
    return [row, reason];
  });
}

/** The bound under which 95 of 100 answers lie that came between two views. */
function p95(now, then) {
  const counts = now.durations.map(([bound, answers], at) => [bound, answers - (then?.durations[at]?.[1] ?? 0)]);
  const all = counts.at(-1)?.[1] ?? 0;
  if (all <= 0) return null;
  let below = 0, under = 0;
  for (const [bound, answers] of counts) {
    if (answers >= 0.95 * all) return bound === null ? below : below + (bound - below) * ((0.95 * all - under) / (answers - under));
    [below, under] = [bound, answers];
  }
  return below;
}

function extend(chart, label, figures) {
  const { labels, datasets } = chart.data;
  labels.push(label);
  if (labels.length > kept) labels.shift();
  for (const [name, figure] of figures) {
    let found = datasets.find((one) => one.label === name);
    if (found === undefined) {
      const colour = colours[datasets.length % colours.length];
      found = { label: name, data: Array(labels.length - 1).fill(null), borderColor: colour, backgroundColor: colour, spanGaps: true };
      datasets.push(found);
    }
    found.data.push(figure);
  }
  for (const one of datasets) {
    if (!figures.has(one.label)) one.data.push(null);
    while (one.data.length > labels.length) one.data.shift();
  }
  chart.update();
}

function draw(view) {
  const well = view.servers.filter(({ health }) => health === "ready" || health === "idle").length;
  byId("state").textContent = well + " of " + view.servers.length + " servers ready, " + view.sessions + " sessions, version " + view.version;
  byId("servers").replaceChildren(...rows(view.servers));
  if (before !== undefined) {
    const seconds = (view.at - before.at) / 1000;
    const then = new Map(before.servers.map((server) => [server.name, server]));
    const label = new Date(view.at).toLocaleTimeString();
    const figures = (read) => new Map(view.servers.map((server) => [server.name, read(server, then.get(server.name))]));
    extend(charts.calls, label, figures((now, old) => Math.max(0, now.calls - (old?.calls ?? 0)) / seconds));
    extend(charts.latency, label, figures(p95));
  }
  before = view;
}

async function look() {
  clearTimeout(look.next);
  try {
    const answer = await fetch("dashboard/data", { headers: token === undefined ? {} : { authorization: "Bearer " + token } });
    byId("login").hidden = answer.status !== 401;
    if (answer.ok) draw(await answer.json());
    else byId("state").textContent = answer.status === 401 ? "who asks?" : "the gateway answers " + answer.status;
    if (answer.status === 401) return;
  } catch {
    byId("state").textContent = "the gateway does not answer";
  }
  look.next = setTimeout(look, document.hidden ? 5 * everyMs : everyMs);
}
look();
`;
