import { describe, expect, test } from "@jest/globals";
import { containerSpec, filesSpec } from "../../../components/docker/container-spec.ts";
import type { DockerWorkload } from "../../../components/docker/workload.ts";
import {
  alertmanagerWorkload,
  grafanaWorkload,
  prometheusWorkload,
} from "../../../components/monitoring/docker-workloads.ts";
import { resolveMonitoring } from "../../../components/monitoring/resolve.ts";
import { MonitoringStack, type MonitoringStackArgs } from "../../../index.ts";
import { graphOf, triples } from "../../support/graph.ts";
import { known } from "../../support/known.ts";
import { testWith } from "../../support/needs.ts";
import { expectRefused } from "../../support/refused-monitoring.ts";
import { check } from "./promtool.ts";

const args: MonitoringStackArgs = {
  platform: "docker",
  gateway: { metricsTarget: "http://gateway:8080/metrics" },
  notifications: { webhook: "https://hidden.example/all" },
  tags: { team: "search" },
  docker: { token: "hidden-token", grafana: { adminPassword: "hidden-password", port: 3300 } },
};
const cloud = {
  computed: (type: string): Record<string, unknown> => (type.includes("RemoteImage") ? { imageId: "sha256:1" } : {}),
  answer: () => ({}),
};
const place = { network: "meeting", gatewayNetwork: "gateways", volume: "kept" };

/** A container, its files, read as JSON where they are, and the folders that they are in. */
async function specOf(workload: DockerWorkload) {
  const spec = await known(containerSpec(workload, "files"));
  const { uploads, volumes } = (await known(filesSpec(workload))) as {
    uploads: { file: string; content: string; permissions: string }[];
    volumes: { containerPath: string }[];
  };
  const read = (text: string) => (text.startsWith("{") ? JSON.parse(text) : text);
  expect(new Set(uploads.map(({ permissions }) => permissions))).toEqual(new Set(["0444"]));
  const folders = volumes.map(({ containerPath }) => containerPath);
  return { spec, folders, files: Object.fromEntries(uploads.map(({ file, content }) => [file, read(content)])) };
}

const hardened = {
  ...{ image: expect.any(String), user: "65534:65534", readOnly: true, capabilities: { drops: ["ALL"] } },
  ...{ securityOpts: ["no-new-privileges:true"], init: true, envs: [] },
  tmpfs: { "/tmp": "rw,noexec,nosuid,nodev,mode=1777,size=256m" },
  ...{
    cpuPeriod: 100_000,
    cpuQuota: 100_000,
    memory: 512,
    memorySwap: 512,
    restart: "unless-stopped",
    stopTimeout: 15,
    destroyGraceSeconds: 15,
  },
  ...{ logDriver: "json-file", logOpts: { "max-size": "10m", "max-file": "5" } },
  ...{ mustRun: true, wait: false, waitTimeout: 110 },
  labels: [
    { label: "team", value: "search" },
    { label: "mcp-fleet.component", value: "monitoring" },
    { label: "mcp-fleet.name", value: "watch" },
  ],
};

test("Prometheus: configuration and token as files, what it measures in a volume, on both networks", async () => {
  const { spec, folders, files } = await specOf(prometheusWorkload(resolveMonitoring("watch", args), place));
  expect(folders).toEqual(["/etc/mcp-fleet", "/run/secrets/mcp-fleet"]);
  expect(spec).toEqual({
    ...hardened,
    image: "prom/prometheus:v3.16.0",
    command: [
      "--config.file=/etc/mcp-fleet/prometheus.yml",
      "--storage.tsdb.path=/prometheus",
      "--storage.tsdb.retention.time=15d",
      "--web.external-url=http://127.0.0.1:9090",
    ],
    volumes: [{ fromContainer: "files:ro" }, { containerPath: "/prometheus", volumeName: "kept" }],
    networksAdvanced: [{ name: "meeting", aliases: ["prometheus"] }, { name: "gateways" }],
    ports: [{ internal: 9090, external: 9090, ip: "127.0.0.1" }],
  });
  expect(files).toEqual({
    "/run/secrets/mcp-fleet/token": "hidden-token",
    "/etc/mcp-fleet/rules.yml": { groups: expect.any(Array) },
    "/etc/mcp-fleet/prometheus.yml": {
      global: { scrape_interval: "15s", evaluation_interval: "15s" },
      rule_files: ["/etc/mcp-fleet/rules.yml"],
      alerting: { alertmanagers: [{ static_configs: [{ targets: ["alertmanager:9093"] }] }] },
      scrape_configs: [
        {
          ...{ job_name: "mcp-fleet-watch", scheme: "http", metrics_path: "/metrics" },
          authorization: { credentials_file: "/run/secrets/mcp-fleet/token" },
          static_configs: [{ targets: ["gateway:8080"] }],
        },
      ],
    },
  });
});

test("a token that is a file of the host is mounted, and everything that may be said is said", async () => {
  const docker = {
    ...{ tokenFile: "/etc/token", host: "10.0.0.1", retentionDays: 30, runtime: "runsc", logMaxMiB: 1, logMaxFiles: 2 },
    prometheus: { image: "prometheus:1", port: 19_090, cpuMillicores: 250, memoryMiB: 256 },
  };
  const { spec, files } = await specOf(prometheusWorkload(resolveMonitoring("watch", { ...args, docker }), place));
  expect(Object.keys(files)).toEqual(["/etc/mcp-fleet/prometheus.yml", "/etc/mcp-fleet/rules.yml"]);
  expect(spec).toMatchObject({
    ...{ image: "prometheus:1", cpuQuota: 25_000, memory: 256, memorySwap: 256, runtime: "runsc" },
    logOpts: { "max-size": "1m", "max-file": "2" },
    command: expect.arrayContaining(["--storage.tsdb.retention.time=30d", "--web.external-url=http://10.0.0.1:19090"]),
    ports: [{ internal: 9090, external: 19_090, ip: "10.0.0.1" }],
    volumes: expect.arrayContaining([
      { containerPath: "/run/secrets/mcp-fleet/token", hostPath: "/etc/token", readOnly: true },
    ]),
  });
});

test("Alertmanager: its routes as a file, not on the gateway's network", async () => {
  const { spec, files } = await specOf(alertmanagerWorkload(resolveMonitoring("watch", args), place));
  expect(spec).toEqual({
    ...hardened,
    ...{ image: "prom/alertmanager:v0.34.2", memory: 128, memorySwap: 128 },
    command: [
      "--config.file=/etc/mcp-fleet/alertmanager.yml",
      "--storage.path=/alertmanager",
      "--cluster.listen-address=",
      "--web.external-url=http://127.0.0.1:9093",
    ],
    volumes: [{ fromContainer: "files:ro" }, { containerPath: "/alertmanager", volumeName: "kept" }],
    networksAdvanced: [{ name: "meeting", aliases: ["alertmanager"] }],
    ports: [{ internal: 9093, external: 9093, ip: "127.0.0.1" }],
  });
  expect(files["/etc/mcp-fleet/alertmanager.yml"]).toMatchObject({
    receivers: [
      { name: "nobody" },
      { name: "everybody", webhook_configs: [{ url: "https://hidden.example/all", send_resolved: true }] },
    ],
  });
});

test("Grafana: data source, dashboard and password as files", async () => {
  const { spec, folders, files } = await specOf(grafanaWorkload(resolveMonitoring("watch", args), place));
  expect(folders).toEqual([
    "/etc/mcp-fleet/grafana/datasources",
    "/etc/mcp-fleet/grafana/dashboards",
    "/etc/mcp-fleet/grafana/dashboards/mcp-fleet",
    "/run/secrets/mcp-fleet",
  ]);
  expect(spec).toEqual({
    ...hardened,
    ...{ image: "grafana/grafana:13.2.3", user: "472:0" },
    envs: [
      "GF_PATHS_PROVISIONING=/etc/mcp-fleet/grafana",
      "GF_SECURITY_ADMIN_PASSWORD__FILE=/run/secrets/mcp-fleet/admin",
      "GF_SERVER_ROOT_URL=http://127.0.0.1:3300",
      "GF_ANALYTICS_REPORTING_ENABLED=false",
      "GF_ANALYTICS_CHECK_FOR_UPDATES=false",
      "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false",
    ],
    volumes: [{ fromContainer: "files:ro" }, { containerPath: "/var/lib/grafana", volumeName: "kept" }],
    networksAdvanced: [{ name: "meeting", aliases: ["grafana"] }],
    ports: [{ internal: 3000, external: 3300, ip: "127.0.0.1" }],
  });
  expect(files).toEqual({
    "/etc/mcp-fleet/grafana/datasources/prometheus.yaml": {
      apiVersion: 1,
      datasources: [
        {
          ...{ name: "Prometheus", type: "prometheus", access: "proxy" },
          ...{ url: "http://prometheus:9090", isDefault: true },
        },
      ],
    },
    "/etc/mcp-fleet/grafana/dashboards/mcp-fleet.yaml": {
      apiVersion: 1,
      providers: [
        { name: "mcp-fleet", type: "file", options: { path: "/etc/mcp-fleet/grafana/dashboards/mcp-fleet" } },
      ],
    },
    "/etc/mcp-fleet/grafana/dashboards/mcp-fleet/dashboard.json": expect.objectContaining({
      ...{ uid: "mcp-fleet-watch", title: "MCP fleet: watch" },
    }),
    "/run/secrets/mcp-fleet/admin": "hidden-password",
  });
});

testWith("promtool and amtool")("Prometheus and Alertmanager take the files", async () => {
  const settings = resolveMonitoring("watch", { ...args, docker: { tokenFile: "/dev/null" } });
  const { files } = await specOf(prometheusWorkload(settings, place));
  const prometheus = files["/etc/mcp-fleet/prometheus.yml"];
  const checked = check("promtool", ["check", "config", "prometheus.yml"], {
    "prometheus.yml": {
      ...prometheus,
      rule_files: ["rules.yml"],
      scrape_configs: [{ ...prometheus.scrape_configs[0], authorization: { credentials_file: "/dev/null" } }],
    },
    "rules.yml": files["/etc/mcp-fleet/rules.yml"],
  });
  expect(checked).toMatchObject({ code: 0 });
  const routes = await specOf(alertmanagerWorkload(settings, place));
  const taken = check("amtool", ["check-config", "alertmanager.yml"], {
    "alertmanager.yml": routes.files["/etc/mcp-fleet/alertmanager.yml"],
  });
  expect(taken).toMatchObject({ code: 0 });
});

describe("as a stack", () => {
  let stack: MonitoringStack;
  const program = (more: Partial<MonitoringStackArgs> = {}) =>
    graphOf(
      () => {
        stack = new MonitoringStack("watch", { ...args, ...more });
      },
      [],
      cloud,
    );

  test("types, names and parents, which states depend on; the gateway's network is this stack's", async () => {
    const graph = await program();
    expect(triples(graph)).toEqual([
      "mcp-fleet:index:MonitoringStack watch < ",
      "docker:index/container:Container watch-alertmanager < watch",
      "docker:index/container:Container watch-alertmanager-files < watch",
      "docker:index/remoteImage:RemoteImage watch-alertmanager-image < watch",
      "docker:index/volume:Volume watch-alertmanager-state < watch",
      "docker:index/container:Container watch-grafana < watch",
      "docker:index/container:Container watch-grafana-files < watch",
      "docker:index/remoteImage:RemoteImage watch-grafana-image < watch",
      "docker:index/volume:Volume watch-grafana-state < watch",
      "docker:index/network:Network watch-network < watch",
      "docker:index/container:Container watch-prometheus < watch",
      "docker:index/container:Container watch-prometheus-files < watch",
      "docker:index/remoteImage:RemoteImage watch-prometheus-image < watch",
      "docker:index/volume:Volume watch-prometheus-state < watch",
    ]);
    const prometheus = graph.find(({ name }) => name === "watch-prometheus");
    expect(prometheus?.inputs.networksAdvanced).toEqual([
      { name: "shop-test-monitoring-watch", aliases: ["prometheus"] },
      { name: "shop-test-gateway-gateway" },
    ]);
    expect(prometheus?.dependsOn).toEqual([
      "watch-network",
      "watch-prometheus-files",
      "watch-prometheus-image",
      "watch-prometheus-state",
    ]);
    expect(await known([stack.prometheusUrl, stack.alertmanagerUrl, stack.dashboardUrl, stack.folder])).toEqual([
      ...["http://127.0.0.1:9090", "http://127.0.0.1:9093", "http://127.0.0.1:3300"],
      "",
    ]);
  });

  test("without grafana there is none; another network may be named", async () => {
    const graph = await program({ docker: { token: "hidden-token", network: "edge" } });
    expect(graph.filter(({ name }) => name.includes("grafana"))).toEqual([]);
    const prometheus = graph.find(({ name }) => name === "watch-prometheus");
    expect(prometheus?.inputs.networksAdvanced).toEqual([
      { name: "shop-test-monitoring-watch", aliases: ["prometheus"] },
      { name: "edge" },
    ]);
    expect(await known(stack.dashboardUrl)).toBe("");
  });

  test("token, password and receivers are encrypted in the state, wherever they stand", async () => {
    const found: string[] = [];
    const walk = (path: string, item: unknown): void => {
      if (typeof item === "string" && item.includes("hidden")) found.push(path);
      if (typeof item !== "object" || item === null || "secret" in item) return;
      for (const [key, inner] of Object.entries(item)) walk(`${path}.${key}`, inner);
    };
    for (const { name, inputs } of await program()) walk(name, inputs);
    expect(found).toEqual([]);
  });

  test.each([
    [{ docker: undefined }, "docker.token is missing, and a gateway on Docker answers nobody without one"],
    [{ docker: { token: "t", tokenFile: "/t" } }, "docker.tokenFile stands beside docker.token; keep one place"],
    [{ docker: { tokenFile: "t" } }, "docker.tokenFile: "],
    [{ docker: { token: "t", grafana: {} } }, "docker.grafana.adminPassword is missing; give the password"],
    [{ docker: { token: "t", prometheus: { port: 0 } } }, "docker.prometheus.port: is 0; give a number >= 1"],
    [{ docker: { token: "t", grafanna: {} } }, 'docker.grafanna: is not a known key; did you mean "grafana"?'],
  ])("refused: %j", (change, problem) => expectRefused({ ...args, ...change } as MonitoringStackArgs, problem));
});
