import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
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
  await rm(out, { recursive: true });
  expect(Object.keys(compose.services)).toEqual(["context7-1", "sequential-1", "sequential-2", "gateway"]);
  for (const service of Object.values(compose.services)) {
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
  expect(Object.entries(compose.networks).map(([name, { internal }]) => [name, internal])).toEqual([
    ["mcp-fleet-docker-gateway-gateway", false],
    ["mcp-fleet-docker-fleet-context7", true],
    ["mcp-fleet-docker-egress-context7", false],
    ["mcp-fleet-docker-fleet-sequential", true],
  ]);
  expect(config.servers.sequential.endpoints).toEqual(["http://sequential-1:3001/mcp", "http://sequential-2:3001/mcp"]);
});

test("what the components refuse is refused, with the file's name", async () => {
  await expect(exportCompose({ stack: "staging", project, out: "/nowhere" })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringMatching(
      /stacks\/Pulumi\.staging\.yaml: MCPServerFleet "\w+": kubernetes is given|platform|container/,
    ),
  });
});
