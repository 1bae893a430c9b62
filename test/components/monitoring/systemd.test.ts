import { describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { monitoringUnits } from "../../../components/monitoring/systemd-units.ts";
import { MonitoringStack, type MonitoringStackArgs } from "../../../index.ts";
import { type GraphNode, graphOf, triples } from "../../support/graph.ts";
import { testWith } from "../../support/needs.ts";
import { expectRefused } from "../../support/refused-monitoring.ts";
import { watch } from "../systemd/workloads.ts";
import { check } from "./promtool.ts";

const unit = "shop-test-monitoring-watch";
const args: MonitoringStackArgs = {
  platform: "systemd",
  gateway: { metricsTarget: "http://127.0.0.1:8080/metrics" },
  notifications: { webhook: "https://hidden.example/all" },
  tags: { team: "search" },
  systemd: { token: "hidden-token" },
};
const cloud = { computed: () => ({ status: "running" }), answer: () => ({}) };

let stack: MonitoringStack;
const program = (more: Partial<MonitoringStackArgs> = {}) =>
  graphOf(
    () => {
      stack = new MonitoringStack("watch", { ...args, ...more });
    },
    [],
    cloud,
  );
const unitsOf = (graph: readonly GraphNode[]) =>
  (graph.find(({ name }) => name === "watch-units") as GraphNode).inputs as {
    files: Record<string, string | { secret: string }>;
    units: Record<string, string>;
    [key: string]: unknown;
  };

test("each program is a hardened service that keeps what outlives it, and a drop-in with what the stack says", () => {
  const units = monitoringUnits(watch({ tokenFile: "/etc/token", token: false, tags: { team: "search" } }));
  expect(Object.keys(units)).toEqual([
    `${unit}-alertmanager.service`,
    `${unit}-alertmanager.service.d/50-stack.conf`,
    `${unit}-prometheus.service`,
    `${unit}-prometheus.service.d/50-stack.conf`,
  ]);
  const service = units[`${unit}-prometheus.service`] as string;
  expect(service).toContain("[Unit]\nDescription=Prometheus of the MCP fleet, watch\n");
  expect(service).toContain("DynamicUser=yes\n");
  expect(service).toContain(`StateDirectory=${unit}-prometheus\nStateDirectoryMode=0700\n`);
  expect(service).toContain(`BindPaths=%S/${unit}-prometheus:/var/lib/mcp-fleet\n`);
  expect(units[`${unit}-prometheus.service.d/50-stack.conf`]).toBe(
    [
      "[Service]",
      "Type=exec",
      `ExecStart="${process.execPath}" ${[
        '"--config.file=/run/secrets/mcp-fleet/prometheus.yml"',
        '"--storage.tsdb.path=/var/lib/mcp-fleet"',
        '"--storage.tsdb.retention.time=15d"',
        '"--web.listen-address=127.0.0.1:9090"',
      ].join(" ")}`,
      `LoadCredential=prometheus.yml:/etc/mcp-fleet/${unit}/prometheus.yml`,
      `LoadCredential=rules.yml:/etc/mcp-fleet/${unit}/rules.yml`,
      "LoadCredential=token:/etc/token",
      "BindReadOnlyPaths=%d:/run/secrets/mcp-fleet",
      ...["CPUQuota=100%", "MemoryMax=512M", "MemorySwapMax=0", "TimeoutStopSec=15"],
      ...["", "[X-Tags]", "team=search", ""],
    ].join("\n"),
  );
  expect(units[`${unit}-alertmanager.service.d/50-stack.conf`]).toBe(
    [
      "[Service]",
      "Type=exec",
      `ExecStart="${process.execPath}" ${[
        '"--config.file=/run/secrets/mcp-fleet/alertmanager.yml"',
        '"--storage.path=/var/lib/mcp-fleet"',
        '"--cluster.listen-address="',
        '"--web.listen-address=127.0.0.1:9093"',
      ].join(" ")}`,
      `LoadCredential=alertmanager.yml:/etc/mcp-fleet/${unit}/alertmanager.yml`,
      "BindReadOnlyPaths=%d:/run/secrets/mcp-fleet",
      ...["CPUQuota=100%", "MemoryMax=128M", "MemorySwapMax=0", "TimeoutStopSec=15"],
      ...["", "[X-Tags]", "team=search", ""],
    ].join("\n"),
  );
});

test("types, names, parents and outputs; Alertmanager is started first, and both are waited for where they listen", async () => {
  const graph = await program();
  expect(triples(graph)).toEqual([
    "mcp-fleet:index:MonitoringStack watch < ",
    "pulumi-nodejs:dynamic/mcp-fleet:SystemdUnits watch-units < watch",
  ]);
  const { instances, addresses, programs, folder, unitDirectory, tokens } = unitsOf(graph);
  expect({ instances, addresses, programs, folder, unitDirectory, tokens }).toEqual({
    instances: [`${unit}-alertmanager.service`, `${unit}-prometheus.service`],
    addresses: {
      [`${unit}-alertmanager.service`]: "127.0.0.1:9093",
      [`${unit}-prometheus.service`]: "127.0.0.1:9090",
    },
    programs: ["/usr/bin/prometheus-alertmanager", "/usr/bin/prometheus"],
    ...{ folder: `/etc/mcp-fleet/${unit}`, unitDirectory: "/etc/systemd/system", tokens: [] },
  });
  const { folder: where, prometheusUrl, alertmanagerUrl, dashboardUrl } = stack;
  const outputs = pulumi.all([where, prometheusUrl, alertmanagerUrl, dashboardUrl]);
  expect(await new Promise((resolve) => outputs.apply(resolve))).toEqual([
    `/etc/mcp-fleet/${unit}`,
    "http://127.0.0.1:9090",
    "http://127.0.0.1:9093",
    "",
  ]);
});

test("files: configurations that find each other, token and routes encrypted in the state", async () => {
  const prometheus = { program: "/opt/prometheus", port: 19_090, cpuMillicores: 250, memoryMiB: 256 };
  const graph = await program({ systemd: { ...args.systemd, prometheus, alertmanager: { port: 19_093 } } });
  const { files, units } = unitsOf(graph);
  expect(Object.keys(files)).toEqual(["alertmanager.yml", "dashboard.json", "prometheus.yml", "rules.yml", "token"]);
  expect(files.token).toEqual({ secret: "hidden-token" });
  expect(files["alertmanager.yml"]).toEqual({ secret: expect.stringContaining("https://hidden.example/all") });
  expect(JSON.parse(files["prometheus.yml"] as string)).toEqual({
    global: { scrape_interval: "15s", evaluation_interval: "15s" },
    rule_files: ["/run/secrets/mcp-fleet/rules.yml"],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:19093"] }] }] },
    scrape_configs: [
      {
        ...{ job_name: "mcp-fleet-watch", scheme: "http", metrics_path: "/metrics" },
        authorization: { credentials_file: "/run/secrets/mcp-fleet/token" },
        static_configs: [{ targets: ["127.0.0.1:8080"] }],
      },
    ],
  });
  const dropIn = units[`${unit}-prometheus.service.d/50-stack.conf`] as string;
  expect(dropIn).toMatch(/^ExecStart="\/opt\/prometheus" .*"--web\.listen-address=127\.0\.0\.1:19090"$/m);
  expect(dropIn).toContain("CPUQuota=25%\nMemoryMax=256M\n");
  expect(dropIn).toContain(`LoadCredential=token:/etc/mcp-fleet/${unit}/token\n`);
  const open = graph.map(({ inputs }) => JSON.stringify(inputs, (_, item) => (item?.secret ? undefined : item)));
  expect(open.join()).not.toContain("hidden");
});

testWith("promtool and amtool")("Prometheus and Alertmanager take the files", async () => {
  const { files } = unitsOf(await program({ systemd: {} }));
  const prometheus = JSON.parse(files["prometheus.yml"] as string);
  expect(prometheus.scrape_configs[0]).not.toHaveProperty("authorization");
  const rules = JSON.parse(files["rules.yml"] as string);
  const given = { "prometheus.yml": { ...prometheus, rule_files: ["rules.yml"] }, "rules.yml": rules };
  expect(check("promtool", ["check", "config", "prometheus.yml"], given)).toMatchObject({ code: 0 });
  const { secret } = files["alertmanager.yml"] as { secret: string };
  const routes = { "alertmanager.yml": JSON.parse(secret) };
  expect(check("amtool", ["check-config", "alertmanager.yml"], routes)).toMatchObject({ code: 0 });
});

describe("what is wrong is refused, and nothing is made", () => {
  test.each([
    [{ systemd: { token: "t", tokenFile: "/t" } }, "systemd.tokenFile stands beside systemd.token; keep one place"],
    [{ systemd: { tokenFile: "t" } }, "systemd.tokenFile: "],
    [{ systemd: { prometheus: { port: 0 } } }, "systemd.prometheus.port: is 0; give a number >= 1"],
    [{ systemd: { prometheus: { image: "a" } } }, "systemd.prometheus.image: is not a known key"],
    [{ tags: { "a b": "c" } }, 'tags: "a b" is not a key of a unit file'],
    [
      { docker: { token: "t" } },
      'docker is given, but platform is "systemd"; remove docker, or set platform to docker',
    ],
  ])("%j", (change, problem) => expectRefused({ ...args, ...change } as MonitoringStackArgs, problem));
});
