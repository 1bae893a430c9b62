import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "@jest/globals";
import { alertmanagerConfig } from "../../components/monitoring/alertmanager.ts";
import { catalogue, recordings } from "../../components/monitoring/catalogue.ts";
import { prometheusConfig, ruleFile } from "../../components/monitoring/prometheus.ts";
import { routing } from "../../components/monitoring/routing.ts";
import { jobScope } from "../../components/monitoring/scope.ts";
import { AlertReceiver } from "../support/alert-receiver.ts";
import { freePort } from "../support/checkout.ts";
import { FaultInstance } from "../support/fault-instance.ts";
import { TestGateway } from "../support/gateway.ts";
import { testWith } from "../support/needs.ts";

const folder = mkdtempSync(join(tmpdir(), "monitoring-test-"));
const children: ChildProcess[] = [];
let gateway: TestGateway | undefined;
let upstream: FaultInstance | undefined;
let receiver: AlertReceiver | undefined;

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  receiver?.close();
  await gateway?.close();
  await upstream?.kill();
  rmSync(folder, { recursive: true, force: true });
});

testWith("promtool and amtool")("a server is killed and comes back: a webhook is told of both", async () => {
  upstream = await FaultInstance.start();
  const endpoints = [upstream.url];
  gateway = await TestGateway.start({ servers: { notes: { type: "custom", endpoints, isolation: "session" } } });
  const client = await gateway.connect("/mcp/notes");
  await client.listTools();

  receiver = await AlertReceiver.start("127.0.0.1");
  const webhook = receiver.url;

  // As the component writes them, but in seconds instead of minutes.
  const rules = catalogue({ thresholds: {}, availabilityPercent: 99.5, autoscaled: false })
    .filter(({ alert }) => alert === "McpServerDown")
    .map((rule) => ({ ...rule, forSeconds: 1 }));
  const routes = alertmanagerConfig(routing({ rules: [], notifications: { webhook }, senders: undefined }));
  const [prometheusPort, alertmanagerPort] = [await freePort(), await freePort()];
  const files = {
    "rules.yml": ruleFile(recordings, rules, "docs/runbook.md", jobScope("gw")),
    "alertmanager.yml": {
      ...routes,
      route: { ...(routes as { route: object }).route, group_wait: "1s", group_interval: "1s" },
    },
    "prometheus.yml": prometheusConfig({
      ...{ job: "gw", target: `${gateway.url}/metrics`, scrapeSeconds: 1, tokenFile: undefined },
      ...{ rulesPath: join(folder, "rules.yml"), alertmanager: `127.0.0.1:${alertmanagerPort}` },
    }),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(content));
  let log = "";
  const start = (command: string, ...args: string[]) => {
    const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.on("data", (chunk) => {
      log += chunk;
    });
    children.push(child);
  };
  start(
    "prometheus-alertmanager",
    ...["--config.file=alertmanager.yml", "--storage.path=alerts", "--cluster.listen-address="],
    `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
  );
  start(
    "prometheus",
    ...["--config.file=prometheus.yml", "--storage.tsdb.path=series"],
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
  );
  const query = `http://127.0.0.1:${prometheusPort}/api/v1/query?query=mcp_server_health_status`;
  const health = async (): Promise<string | undefined> => {
    // It refuses, and then says that it is not ready, before it answers.
    const answer = await fetch(query)
      .then((response) => response.json() as Promise<{ data: { result: { value: [number, string] }[] } }>)
      .catch(() => undefined);
    return answer?.data?.result?.[0]?.value[1];
  };
  let seen: string | undefined;
  for (let tries = 0; tries < 150 && seen !== "1"; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    seen = await health();
  }
  expect({ seen, log }).toMatchObject({ seen: "1" });

  const told = async (status: string) => {
    for (let tries = 0; tries < 300 && receiver?.last("McpServerDown", "notes")?.status !== status; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return receiver?.last("McpServerDown", "notes");
  };
  expect(receiver.last("McpServerDown", "notes")).toBeUndefined();
  await upstream.kill();
  const alert = {
    labels: { alertname: "McpServerDown", server: "notes", severity: "critical", component: "mcp-fleet" },
    annotations: { summary: "notes: no instance is ready", runbook_url: "docs/runbook.md#mcpserverdown" },
  };
  expect(await told("firing")).toMatchObject({ status: "firing", ...alert });
  await upstream.back();
  expect(await told("resolved")).toMatchObject({ status: "resolved", ...alert });
});
