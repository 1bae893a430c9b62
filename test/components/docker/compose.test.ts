import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse, stringify } from "yaml";
import { exportCompose } from "../../../runtime/cli/export-action.ts";

const project = join(import.meta.dirname, "../../..");

interface Service {
  readonly [key: string]: unknown;
}

test("the stack `docker` in Compose's words: the same containers, networks and files", async () => {
  const out = await mkdtemp(join(tmpdir(), "compose-test-"));
  await exportCompose({ stack: "docker", project, out });
  const compose = parse(await readFile(join(out, "compose.yaml"), "utf8")) as {
    services: Record<string, Service>;
    networks: Record<string, { internal: boolean }>;
    volumes: object;
  };
  const config = JSON.parse(await readFile(join(out, "mcp-fleet.json"), "utf8"));
  const prometheus = JSON.parse(await readFile(join(out, "prometheus/prometheus.yml"), "utf8"));
  const alertmanager = JSON.parse(await readFile(join(out, "alertmanager/alertmanager.yml"), "utf8"));
  await rm(out, { recursive: true });
  const watchers = ["prometheus", "alertmanager"];
  const servers = ["context7-1", "sequential-1", "sequential-2"];
  expect(Object.keys(compose.services)).toEqual([...servers, ...watchers, "gateway"]);
  for (const service of [...servers, "gateway"].map((name) => compose.services[name])) {
    expect(service).toMatchObject({
      ...{
        image: "mcp-fleet:0.1.0",
        user: "65532:65532",
        read_only: true,
        cap_drop: ["ALL"],
        restart: "unless-stopped",
      },
      ...{ security_opt: ["no-new-privileges:true"], cpus: 1, mem_limit: "512m", memswap_limit: "512m" },
    });
  }
  expect(compose.services.gateway).toMatchObject({
    ports: ["127.0.0.1:8080:8080"],
    volumes: [
      "./mcp-fleet.json:/etc/mcp-fleet/mcp-fleet.json:ro",
      "./secrets/operator:/run/secrets/mcp-fleet/operator:ro",
      "gateway-state:/var/lib/mcp-fleet",
    ],
    depends_on: { "context7-1": { condition: "service_healthy" } },
  });
  expect(compose.services.prometheus).toMatchObject({
    ...{ image: "prom/prometheus:v3.16.0", user: "65534:65534", read_only: true, cap_drop: ["ALL"] },
    ports: ["127.0.0.1:9090:9090"],
    volumes: [
      "./prometheus/prometheus.yml:/etc/mcp-fleet/prometheus.yml:ro",
      "./prometheus/rules.yml:/etc/mcp-fleet/rules.yml:ro",
      "./secrets/prometheus-token:/run/secrets/mcp-fleet/token:ro",
      "monitoring-prometheus-state:/prometheus",
    ],
    networks: {
      "mcp-fleet-docker-monitoring-monitoring": { aliases: ["prometheus"] },
      "mcp-fleet-docker-gateway-gateway": {},
    },
  });
  expect(compose.services.alertmanager).toMatchObject({
    volumes: [
      "./alertmanager/alertmanager.yml:/etc/mcp-fleet/alertmanager.yml:ro",
      "monitoring-alertmanager-state:/alertmanager",
    ],
  });
  expect(prometheus.scrape_configs[0].static_configs).toEqual([{ targets: ["gateway:8080"] }]);
  expect(alertmanager.route.receiver).toBe("nobody");
  expect(Object.keys(compose.volumes)).toEqual([
    "monitoring-prometheus-state",
    "monitoring-alertmanager-state",
    "gateway-state",
  ]);
  expect(Object.entries(compose.networks).map(([name, { internal }]) => [name, internal])).toEqual([
    ["mcp-fleet-docker-gateway-gateway", false],
    ["mcp-fleet-docker-fleet-context7", true],
    ["mcp-fleet-docker-egress-context7", false],
    ["mcp-fleet-docker-fleet-sequential", true],
    ["mcp-fleet-docker-monitoring-monitoring", false],
  ]);
  expect(config.servers.sequential.discovery).toEqual({
    dns: { name: "sequential-instances", port: 3001, path: "/mcp", refreshMs: 1000 },
  });
}, 60_000);

test("what the components refuse is refused, with the file's name", async () => {
  await expect(exportCompose({ stack: "staging", project, out: "/nowhere" })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringMatching(
      /stacks\/Pulumi\.staging\.yaml: MCPServerFleet "\w+": kubernetes is given|platform|container/,
    ),
  });
});

test("a receiver that only Pulumi can read is refused, and nothing is written", async () => {
  const copy = await mkdtemp(join(tmpdir(), "compose-test-"));
  await mkdir(join(copy, "stacks"));
  await cp(join(project, "Pulumi.yaml"), join(copy, "Pulumi.yaml"));
  const stack = parse(await readFile(join(project, "stacks/Pulumi.docker.yaml"), "utf8"));
  stack.config["mcp-fleet:monitoring"].notifications = { webhook: { secure: "v1:AAAA" } };
  await writeFile(join(copy, "stacks/Pulumi.docker.yaml"), stringify(stack));
  const out = join(copy, "out");
  await expect(exportCompose({ stack: "docker", project: copy, out })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining(
      "stacks/Pulumi.docker.yaml: mcp-fleet:monitoring has a receiver that is encrypted, which only Pulumi reads; give it",
    ),
  });
  expect(existsSync(out)).toBe(false);
  await rm(copy, { recursive: true });
});
