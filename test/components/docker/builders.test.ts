import { expect, test } from "@jest/globals";
import { cacheWorkload, limitsWorkload } from "../../../components/docker/cache-workload.ts";
import { containerSpec, filesSpec } from "../../../components/docker/container-spec.ts";
import { dockerDefaults } from "../../../components/docker/defaults.ts";
import { firstEndpoint, fleetDiscovery } from "../../../components/docker/fleet-workload.ts";
import { frontWorkload } from "../../../components/docker/front-workload.ts";
import { gatewayConfigText, gatewayNetworks, gatewayWorkload } from "../../../components/docker/gateway-workload.ts";
import { buildSpec } from "../../../components/docker/objects.ts";
import { gatewayProblems } from "../../../components/docker/rules.ts";
import { resolveGateway } from "../../../components/gateway/resolve.ts";
import { known } from "../../support/known.ts";
import { names, notes, notesSettings } from "./fleet.ts";

const hardened = {
  user: "65532:65532",
  readOnly: true,
  capabilities: { drops: ["ALL"] },
  securityOpts: ["no-new-privileges:true"],
  tmpfs: { "/tmp": "rw,noexec,nosuid,nodev,mode=1777,size=256m" },
  cpuPeriod: 100_000,
  cpuQuota: 100_000,
  memory: 512,
  memorySwap: 512,
  restart: "unless-stopped",
  stopTimeout: 15,
  destroyGraceSeconds: 15,
  logDriver: "json-file",
  logOpts: { "max-size": "10m", "max-file": "5" },
  mustRun: true,
  waitTimeout: 110,
};
const labels = [
  { label: "mcp-fleet.component", value: "fleet" },
  { label: "mcp-fleet.name", value: "notes" },
];

test("a server on its standard streams runs under the server host; its secrets are files", () => {
  const container = { image: "notes:1", command: "notes", args: ["--all"], secretEnv: { API_KEY: "hidden" } };
  const specs = notes({ container, scaling: { minInstances: 2 }, tags: { team: "search" } }).map((workload) =>
    containerSpec(workload),
  );
  const host = (number: number) => ({
    ...hardened,
    image: "notes:1",
    envs: [
      "MCP_SERVER_NAME=notes",
      'MCP_SERVER={"type":"custom","process":{"command":"notes","args":["--all"],"env":{"API_KEY":"file:/run/secrets/mcp-fleet/API_KEY"}},"scaling":{"minInstances":1,"maxInstances":4}}',
      "MCP_FLEET_PORT=3001",
      `MCP_FLEET_ALLOWED_HOSTS=notes-${number}`,
      "MCP_FLEET_ALLOW_ANONYMOUS=true",
      "TMPDIR=/tmp",
    ],
    init: false,
    wait: true,
    volumes: [],
    networksAdvanced: [{ name: "mcp-fleet-test-fleet-notes", aliases: [`notes-${number}`, "notes-instances"] }],
    labels: [{ label: "team", value: "search" }, ...labels],
  });
  expect(specs).toEqual([host(1), host(2)]);
});

test("an image that serves HTTP itself gets an init process, and its own environment; egress is another network", async () => {
  const container = {
    ...{ image: "clock:1", port: 3000, path: "/", command: "clock", args: ["serve"], env: { TZ: "UTC" } },
    ...{ secretEnv: { KEY: "hidden" }, cpuMillicores: 250, memoryMiB: 128 },
  };
  const docker = { egress: true, runtime: "runsc", logMaxMiB: 1, logMaxFiles: 2 };
  const settings = { container, docker };
  expect(notes(settings).map((workload) => containerSpec(workload))).toEqual([
    {
      ...hardened,
      image: "clock:1",
      entrypoints: ["clock"],
      command: ["serve"],
      envs: ["TZ=UTC", "KEY=hidden"],
      init: true,
      wait: false,
      volumes: [],
      networksAdvanced: [
        { name: "mcp-fleet-test-fleet-notes", aliases: ["notes-1", "notes-instances"] },
        { name: "mcp-fleet-test-egress-notes" },
      ],
      cpuQuota: 25_000,
      memory: 128,
      memorySwap: 128,
      runtime: "runsc",
      logOpts: { "max-size": "1m", "max-file": "2" },
      labels,
    },
  ]);
  expect(fleetDiscovery(notesSettings(settings))).toEqual({
    dns: { name: "notes-instances", port: 3000, path: "/", refreshMs: 1000 },
  });
  expect(await known(firstEndpoint(notesSettings(settings)))).toBe("http://notes-1:3000/");
});

const gateway = resolveGateway("gateway", {
  platform: "docker",
  container: { image: "mcp-fleet:1" },
  auth: { bearerTokens: [{ name: "ada", token: "file:/run/secrets/mcp-fleet/ada" }] },
  secrets: { ada: "token-of-ada" },
  allowedHosts: ["mcp.example.com"],
  drainMs: 20_000,
  fleets: [{ serverName: "notes" }],
});
const fleets = [
  {
    serverName: "notes",
    configuration: '{"type":"custom","discovery":{"dns":{"name":"notes-instances","port":3001,"path":"/mcp"}}}',
  },
  { serverName: "remote", configuration: '{"type":"custom","endpoints":["https://mcp.example.com/mcp"]}' },
];

const front = (args: object) => ({ ...gateway, args: { ...gateway.args, docker: args } });
const ofGateway = [
  { label: "mcp-fleet.component", value: "gateway" },
  { label: "mcp-fleet.name", value: "gateway" },
];

test("a gateway's container: its files from one that never starts, its key in a volume, its port kept by another one", async () => {
  const networks = gatewayNetworks(gateway, fleets, names);
  expect(networks).toEqual([
    { name: "mcp-fleet-test-gateway-gateway", aliases: ["gateway"] },
    { name: "mcp-fleet-test-front-gateway", aliases: ["gateway-behind"] },
    { name: "mcp-fleet-test-fleet-notes" },
  ]);
  const workload = gatewayWorkload(gateway, "{}", networks, "state");
  expect(await known(containerSpec(workload, "files"))).toEqual({
    ...hardened,
    image: "mcp-fleet:1",
    envs: [
      "MCP_FLEET_CONFIG=/etc/mcp-fleet/mcp-fleet.json",
      "MCP_FLEET_STATE_FOLDER=/var/lib/mcp-fleet",
      "TMPDIR=/tmp",
    ],
    init: false,
    wait: true,
    volumes: [{ fromContainer: "files:ro" }, { containerPath: "/var/lib/mcp-fleet", volumeName: "state" }],
    networksAdvanced: networks,
    stopTimeout: 25,
    destroyGraceSeconds: 25,
    labels: ofGateway,
  });
  expect(filesSpec(workload)).toEqual({
    image: "mcp-fleet:1",
    volumes: [{ containerPath: "/etc/mcp-fleet" }, { containerPath: "/run/secrets/mcp-fleet" }],
    uploads: [
      { file: "/etc/mcp-fleet/mcp-fleet.json", content: "{}", permissions: "0444" },
      { file: "/run/secrets/mcp-fleet/ada", content: "token-of-ada", permissions: "0444" },
    ],
    networkMode: "none",
    start: false,
    mustRun: false,
    labels: ofGateway,
  });
});

test("a gateway's port on this machine: kept by a container of its own, or its own", () => {
  const ports = [{ internal: 8080, external: 8080, ip: "127.0.0.1" }];
  expect(containerSpec(frontWorkload(gateway, "mcp-fleet:1", names))).toEqual({
    ...hardened,
    image: "mcp-fleet:1",
    envs: ["MCP_FLEET_FORWARD_TO=gateway-behind:8080", "MCP_FLEET_PORT=8080", "TMPDIR=/tmp"],
    init: false,
    wait: true,
    volumes: [],
    networksAdvanced: [{ name: "mcp-fleet-test-gateway-gateway" }, { name: "mcp-fleet-test-front-gateway" }],
    ports,
    memory: 192,
    memorySwap: 192,
    stopTimeout: 5,
    destroyGraceSeconds: 5,
    labels: [
      { label: "mcp-fleet.component", value: "front" },
      { label: "mcp-fleet.name", value: "gateway-front" },
    ],
  });
  const alone = front({ front: false });
  expect(gatewayNetworks(alone, fleets, names)).toEqual([
    { name: "mcp-fleet-test-gateway-gateway", aliases: ["gateway"] },
    { name: "mcp-fleet-test-fleet-notes" },
  ]);
  expect(containerSpec(gatewayWorkload(alone, "{}", [], "state"))).toMatchObject({ ports });
});

test("a gateway believes the keeper of its port, and whom its user has named, about where clients come from", () => {
  const connections = { trustedProxies: ["10.0.0.1"], maxHeaders: 50 };
  const text = gatewayConfigText(gateway, { ...gateway.common, connections }, fleets, "172.20.0.0/16");
  expect(JSON.parse(text).gateway.lingerMs).toBe(5000);
  expect(JSON.parse(text).gateway.connections).toEqual({
    trustedProxies: ["10.0.0.1", "172.20.0.0/16"],
    proxyProtocol: true,
    proxyProtocolOptional: true,
    maxHeaders: 50,
  });
  expect(
    gatewayProblems({ ...gateway.args, connections: { trustedProxies: ["10.0.0.1"], proxyProtocol: true } }),
  ).toEqual([
    "connections.proxyProtocol is given, but the container that keeps the gateway's port speaks the PROXY protocol itself; remove it, or set docker.front to false",
  ]);
});

test("a gateway's configuration file: its own settings, and every fleet where it is", () => {
  expect(JSON.parse(gatewayConfigText(gateway, gateway.common, fleets, undefined))).toEqual({
    gateway: {
      auth: { bearerTokens: [{ name: "ada", token: "file:/run/secrets/mcp-fleet/ada" }] },
      drainMs: 20_000,
      host: "0.0.0.0",
      port: 8080,
      allowedHosts: ["mcp.example.com", "gateway"],
    },
    servers: {
      notes: { type: "custom", discovery: { dns: { name: "notes-instances", port: 3001, path: "/mcp" } } },
      remote: { type: "custom", endpoints: ["https://mcp.example.com/mcp"] },
    },
  });
});

test("what workers share: a Redis that forgets no count and one that forgets answers, with a password, on a network on which only the gateway is", () => {
  const secrets = { ...gateway.args.secrets, "redis-password": "from-pulumi" };
  const shared = { ...gateway, args: { ...gateway.args, secrets, docker: { sharedCache: true } } };
  const file = "/run/secrets/mcp-fleet/redis-password";
  const redis = (alias: string, memory: number, maxMemory: string) => ({
    ...hardened,
    image: "redis:8.2-alpine",
    init: true,
    wait: false,
    envs: [],
    cpuQuota: 50_000,
    volumes: [],
    memory,
    memorySwap: memory,
    stopTimeout: 5,
    destroyGraceSeconds: 5,
    entrypoints: ["sh", "-c"],
    command: [
      "exec redis-server - --port 6379 --bind '*' --protected-mode yes --dir /tmp --save '' --appendonly no " +
        `--maxmemory ${maxMemory} <<END\nrequirepass "$(cat ${file})"\nEND\n`,
    ],
    networksAdvanced: [{ name: "mcp-fleet-test-cache-gateway", aliases: [alias] }],
    labels: [
      { label: "mcp-fleet.component", value: "cache" },
      { label: "mcp-fleet.name", value: alias },
    ],
  });
  expect(containerSpec(cacheWorkload(shared, names))).toEqual(
    redis("gateway-cache", 256, "160mb --maxmemory-policy allkeys-lru"),
  );
  expect(containerSpec(limitsWorkload(shared, names))).toEqual(
    redis("gateway-limits", 128, "64mb --maxmemory-policy noeviction"),
  );
  expect(gatewayNetworks(shared, fleets, names)[2]).toEqual({ name: "mcp-fleet-test-cache-gateway" });
  const { shared: found } = JSON.parse(gatewayConfigText(shared, gateway.common, fleets, undefined)).gateway;
  expect(found).toEqual({
    redis: "redis://gateway-limits:6379",
    cacheRedis: "redis://gateway-cache:6379",
    password: `file:${file}`,
  });
});

test("what workers share has a password, or is refused", () => {
  const { auth } = gateway.args;
  const args = { ...gateway.args, auth, docker: { sharedCache: true } };
  const fix = "make one with `openssl rand -hex 32`, and add it to secrets or docker.secretFiles";
  expect(gatewayProblems(args)).toContain(
    `docker.sharedCache is given without the secret "redis-password", the password of its Redis; ${fix}`,
  );
});

test("the image is built into the engine's own store", () => {
  const { dockerfile: _, ...spec } = buildSpec("mcp-fleet:1", {
    context: "/src",
    base: "local/node:24",
    presets: "magic",
  });
  expect(spec).toEqual({
    context: { location: "/src" },
    buildArgs: { BASE: "local/node:24", PRESETS: "magic" },
    ...{ tags: ["mcp-fleet:1"], push: false, load: true },
  });
});

test("defaults are a contract", () => {
  expect(dockerDefaults).toEqual({
    ...{ cacheImage: "redis:8.2-alpine", cachePort: 6379, cacheCpuMillicores: 500, cacheMemoryMiB: 256 },
    cacheMaxMemoryMiB: 160,
    limitsMemoryMiB: 128,
    frontMemoryMiB: 192,
    lookMs: 1000,
    lingerMs: 5000,
    limitsMaxMemoryMiB: 64,
    ...{ cpuMillicores: 1000, memoryMiB: 512, fleetInstances: 1, host: "127.0.0.1", port: 8080, hostPort: 3001 },
    ...{
      gatewayPort: 8080,
      path: "/mcp",
      drainMs: 10_000,
      graceMarginSeconds: 5,
      user: "65532:65532",
      temporaryMiB: 256,
    },
    ...{ logMaxMiB: 10, logMaxFiles: 5, waitSeconds: 110 },
  });
});
