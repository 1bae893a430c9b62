import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { parse, stringify } from "yaml";
import { AlertReceiver } from "../../support/alert-receiver.ts";
import { Checkout, freePort } from "../../support/checkout.ts";
import { docker, dockerOk, until } from "../../support/docker.ts";
import { engineFolder } from "../../support/engine-folder.ts";
import { Load } from "../../support/load.ts";
import { monitoringImage } from "../../support/monitoring-images.ts";
import { has } from "../../support/present.ts";
import { redisImage } from "../../support/redis-image.ts";
import { standIns } from "../../support/stand-ins.ts";
import { storyWith } from "../../support/story.ts";

// One story in order, on a real Docker engine under the real Pulumi engine: the stack `docker`, as it is committed but for its
// port. Where the provider plugin cannot be had, a stand-in does to the engine what the components declare, by the docker command.
const needs = [
  "a Pulumi engine",
  "a Docker engine with the image (npm run image)",
  "promtool and amtool",
  "redis-server",
] as const;
const test = storyWith(...needs);
const able = needs.every((need) => has(need));
const root = join(import.meta.dirname, "../../..");
const token = `canary-${randomBytes(16).toString("hex")}`;
const headers = { authorization: `Bearer ${token}` };
const thought = { thought: "a", thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false };
const thinking = { name: "sequential__sequentialthinking", arguments: thought };

let checkout: Checkout;
let alerts: AlertReceiver;
let prometheus: string;
let alertmanager: string;
let url: string;
let port: number;

beforeAll(async () => {
  if (!able) return;
  checkout = new Checkout({ modules: "shared" });
  mkdirSync(join(checkout.temporary, "backend"));
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
  // Where containers reach this machine.
  const [bridge] = JSON.parse(await dockerOk(["network", "inspect", "bridge"]));
  alerts = await AlertReceiver.start(bridge.IPAM.Config[0].Gateway);
  const watchers = {
    prometheus: await monitoringImage("prometheus"),
    alertmanager: await monitoringImage("alertmanager"),
  };
  const ports = { prometheus: await freePort(), alertmanager: await freePort() };
  prometheus = `http://127.0.0.1:${ports.prometheus}`;
  alertmanager = `http://127.0.0.1:${ports.alertmanager}`;
  const sharedCacheImage = await redisImage();
  configure((config) => {
    config["mcp-fleet:gateway"].port = port;
    // The gateway's image is built by its component, from where `npm run image` has made the bundle.
    config["mcp-fleet:gateway"].container = { image: "mcp-fleet:story" };
    const build = { context: root, base: "local/node:24" };
    config["mcp-fleet:gateway"].docker = { build, sharedCache: true, sharedCacheImage };
    config["mcp-fleet:gateway"].rateLimiting = { caller: { windowMs: 60_000, maxRequests: 100_000 } };
    const monitoring = config["mcp-fleet:monitoring"];
    monitoring.notifications = { webhook: alerts.url };
    monitoring.alertRules = [atOnce];
    monitoring.docker.prometheus = { image: watchers.prometheus, port: ports.prometheus };
    monitoring.docker.alertmanager = { image: watchers.alertmanager, port: ports.alertmanager };
  });
  await pulumi("stack init docker");
  await pulumi(`config set --stack docker --secret --path mcp-fleet:secrets.operator ${token}`);
  await pulumi("config set --stack docker --secret --path mcp-fleet:secrets.redis-password 0123456789abcdef");
}, 120_000);
afterAll(async () => {
  if (!able) return;
  alerts?.close();
  await pulumi("destroy --yes --stack docker");
  checkout.close();
}, 120_000);

/** As the package's own rule, but without its minute of patience. */
const atOnce = {
  ...{ name: "Server Gone", metric: "mcp_server_health_status", condition: "lt", threshold: 1 },
  ...{ severity: "critical", forSeconds: 0 },
};

interface StackConfig {
  "mcp-fleet:gateway": Record<string, unknown>;
  "mcp-fleet:monitoring": Record<string, unknown> & { docker: Record<string, unknown> };
  "mcp-fleet:fleets": Record<string, Record<string, unknown>>;
}

function configure(change: (config: StackConfig) => void): void {
  const file = join(checkout.path, "stacks/Pulumi.docker.yaml");
  const stack = parse(readFileSync(file, "utf8")) as { config: StackConfig };
  change(stack.config);
  writeFileSync(file, stringify(stack));
}

/** Runs the real engine; rejects with what it said. */
async function pulumi(line: string): Promise<string> {
  const folders = [
    ...standIns,
    engineFolder,
    join(root, "node_modules/node/bin"),
    join(root, "node_modules/@pulumi/pulumi"),
  ];
  const { code, out, err } = await checkout.run(`pulumi ${line} --non-interactive --color never`, {
    PATH: [...folders, checkout.env.PATH].join(delimiter),
    PULUMI_BACKEND_URL: `file://${join(checkout.temporary, "backend")}`,
    ...{ PULUMI_CONFIG_PASSPHRASE: "", PULUMI_SKIP_UPDATE_CHECK: "true", TS_NODE_CACHE: "false" },
  });
  if (code !== 0) throw new Error(`pulumi ${line}: ${out}\n${err}`);
  return out;
}

const up = () => pulumi("up --yes --skip-preview --stack docker");

async function connect(path = "/mcp"): Promise<Client> {
  const client = new Client({ name: "story", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(path, url), { requestInit: { headers } }));
  return client;
}

async function think(client: Client): Promise<unknown> {
  const { content, isError } = await client.callTool(thinking);
  expect(isError).toBeUndefined();
  return JSON.parse((content as { text: string }[])[0]?.text as string);
}

/** Ids of the stack's containers of a component, without those that only hold files and never start. */
async function containers(name: string): Promise<string[]> {
  const begun = ["running", "restarting", "exited"].flatMap((status) => ["--filter", `status=${status}`]);
  const label = ["--filter", `label=mcp-fleet.name=${name}`];
  const out = await dockerOk(["ps", "--all", "--quiet", "--no-trunc", ...label, ...begun]);
  return out.split("\n").filter((id) => id !== "");
}

const inspect = async <T>(id: string, format: string): Promise<T> =>
  JSON.parse(await dockerOk(["inspect", "--format", `{{json ${format}}}`, id])) as T;
const inside = async <T>(id: string, program: string): Promise<T> =>
  JSON.parse(await dockerOk(["exec", id, "node", "-e", program])) as T;
const serving = async (name: string) => {
  const servers = (await (await fetch(`${url}/ready`, { headers })).json()) as { servers: Record<string, string> };
  return servers.servers[name] === "ready" ? true : undefined;
};

test("pulumi up brings gateway and fleets up; clients call through the gateway, and nobody without the token", async () => {
  await up();
  await until(() => serving("context7"));
  await until(() => serving("sequential"));
  const client = await connect();
  const names = (await client.listTools()).tools.map(({ name }) => name);
  expect(names).toEqual(["context7__resolve-library-id", "context7__query-docs", "sequential__sequentialthinking"]);
  expect(await think(client)).toMatchObject({ thoughtHistoryLength: 1 });
  // Another client does not find what the first one has thought.
  const other = await connect();
  expect(await think(other)).toMatchObject({ thoughtHistoryLength: 1 });
  await (other.transport as StreamableHTTPClientTransport).terminateSession();
  await other.close();
  await client.close();
  expect((await fetch(`${url}/mcp`, { method: "POST", body: "{}" })).status).toBe(401);
});

test("with nothing changed, preview and refresh change nothing", async () => {
  const preview = await pulumi("preview --expect-no-changes --refresh --stack docker");
  expect(preview).toMatch(/\d+ unchanged/);
});

test("every container is bounded, without capabilities, read-only, restarted, and its log rotates", async () => {
  const ids = [
    ...(await containers("gateway")),
    ...(await containers("context7")),
    ...(await containers("sequential")),
  ];
  expect(ids).toHaveLength(4);
  for (const id of ids) {
    const { HostConfig, Config } = await inspect<{ HostConfig: object; Config: object }>(id, ".");
    expect(Config).toMatchObject({ User: "65532:65532", StopTimeout: 15 });
    expect(HostConfig).toMatchObject({
      ...{ ReadonlyRootfs: true, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges:true"], Privileged: false },
      ...{ Memory: 512 * 2 ** 20, MemorySwap: 512 * 2 ** 20, CpuPeriod: 100_000, CpuQuota: 100_000 },
      RestartPolicy: { Name: "unless-stopped" },
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "5" } },
      Tmpfs: { "/tmp": "rw,noexec,nosuid,nodev,mode=1777,size=256m" },
    });
    const seen = await inside<Record<string, string>>(
      id,
      `const { readFileSync, writeFileSync } = require("node:fs");
       const status = readFileSync("/proc/self/status", "utf8");
       const field = (name) => status.match(new RegExp(name + ":\\\\s+(\\\\w+)"))[1];
       const attempt = (path) => { try { writeFileSync(path, ""); return "written" } catch ({ code }) { return code } };
       console.log(JSON.stringify({ uid: field("Uid"), caps: field("CapEff"), bounding: field("CapBnd"), noNew: field("NoNewPrivs"),
         root: attempt("/file"), app: attempt("/app/file"), config: attempt("/etc/mcp-fleet/file"), tmp: attempt("/tmp/file") }))`,
    );
    const none = "0000000000000000";
    const app = { root: "EROFS", app: "EROFS", tmp: "written" };
    expect(seen).toEqual({
      ...{ uid: "65532", caps: none, bounding: none, noNew: "1", ...app },
      config: expect.stringMatching(/^(EROFS|EACCES)$/),
    });
  }
  const [gateway] = await containers("gateway");
  expect(await inspect(gateway as string, ".HostConfig.PortBindings")).toEqual({});
  const [front] = await containers("gateway-front");
  const { PortBindings, ...hardening } = await inspect<{ PortBindings: object }>(front as string, ".HostConfig");
  expect(hardening).toMatchObject({ ReadonlyRootfs: true, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges:true"] });
  expect(PortBindings).toEqual({ "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: String(port) }] });
});

test("a fleet reaches nobody but its gateway: neither another fleet nor, without egress, any other machine", async () => {
  const reach = (from: string, host: string, at: number) =>
    inside<string>(
      from,
      `const socket = require("node:net").connect({ host: ${JSON.stringify(host)}, port: ${at} });
       const say = (what) => { console.log(JSON.stringify(what)); process.exit() };
       socket.on("connect", () => say("connected")).on("error", ({ code }) => say(code)).setTimeout(1500, () => say("timeout"))`,
    );
  const [gateway] = (await containers("gateway")) as [string];
  const [sequential] = (await containers("sequential")) as [string];
  const [context7] = (await containers("context7")) as [string];
  const address = async (id: string, network: string) =>
    (await inspect<Record<string, { IPAddress: string; Gateway: string }>>(id, ".NetworkSettings.Networks"))[network];
  const other = (await address(context7, "mcp-fleet-docker-fleet-context7"))?.IPAddress as string;
  expect(await reach(gateway, other, 3001)).toBe("connected");
  expect(await reach(gateway, "sequential-1", 3001)).toBe("connected");
  expect(await reach(sequential, "context7-1", 3001)).toMatch(/timeout|ENOTFOUND|EAI_AGAIN/);
  expect(await reach(sequential, other, 3001)).toMatch(/timeout|ENETUNREACH|EHOSTUNREACH/);
  // Only a fleet with egress has a way out: the engine lets nothing leave an internal network.
  const internal = async (network: string) => {
    const [found] = JSON.parse(await dockerOk(["network", "inspect", `mcp-fleet-docker-${network}`]));
    return found.Internal as boolean;
  };
  const wanted = {
    "fleet-context7": true,
    "egress-context7": false,
    "fleet-sequential": true,
    "gateway-gateway": false,
  };
  const found = await Promise.all(Object.keys(wanted).map(async (network) => [network, await internal(network)]));
  expect(Object.fromEntries(found)).toEqual(wanted);
  const networksOf = async (id: string) => Object.keys(await inspect<object>(id, ".NetworkSettings.Networks"));
  expect(await networksOf(sequential)).toEqual(["mcp-fleet-docker-fleet-sequential"]);
});

test("the gateway runs the image that its component has built", async () => {
  const built = await inspect("mcp-fleet:story", ".Id");
  const [gateway] = (await containers("gateway")) as [string];
  expect(await inspect(gateway, ".Image")).toBe(built);
});

test("what workers share is counted in Redis, which only the gateway reaches, with a password", async () => {
  for (const name of ["gateway-cache", "gateway-limits"]) {
    const [redis] = (await containers(name)) as [string];
    expect(await inspect(redis, ".NetworkSettings.Networks")).toEqual({
      "mcp-fleet-docker-cache-gateway": expect.objectContaining({ Aliases: expect.arrayContaining([name]) }),
    });
  }
  const [gateway] = (await containers("gateway")) as [string];
  const asked = await inside<string>(
    gateway,
    `const socket = require("node:net").connect({ host: "gateway-limits", port: 6379 }, () => socket.write("KEYS *\\r\\nAUTH 0123456789abcdef\\r\\nKEYS *\\r\\n"));
     let text = "";
     socket.on("data", (more) => {
       text += more;
       if (text.includes("mcp-fleet:")) { console.log(JSON.stringify(text)); process.exit(); }
     })`,
  );
  expect(asked).toMatch(/^-NOAUTH [^\r]*\r\n\+OK\r\n\*[\s\S]*mcp-fleet:/);
});

/** What Prometheus knows of a series: its value by the server that it is of. */
async function measured(series: string): Promise<Record<string, string>> {
  const answer = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(series)}`);
  const { data } = (await answer.json()) as { data: { result: Measured[] } };
  return Object.fromEntries(data.result.map(({ metric, value: [, value] }) => [metric.server ?? "", value]));
}
interface Measured {
  readonly metric: { readonly server?: string };
  readonly value: [at: number, value: string];
}

test("Prometheus and Alertmanager run as hardened as servers do; Prometheus alone meets the gateway, with its token", async () => {
  const ids = await containers("monitoring");
  expect(ids).toHaveLength(2);
  const networks: Record<string, string[]> = {};
  for (const id of ids) {
    const { Config, HostConfig, NetworkSettings } = await inspect<{
      Config: { User: string; Image: string; Entrypoint: string[] };
      HostConfig: object;
      NetworkSettings: { Networks: object };
    }>(id, ".");
    expect(Config.User).toBe("65534:65534");
    expect(HostConfig).toMatchObject({
      ...{ ReadonlyRootfs: true, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges:true"], Privileged: false },
      RestartPolicy: { Name: "unless-stopped" },
    });
    networks[Config.Entrypoint[0] as string] = Object.keys(NetworkSettings.Networks).sort();
  }
  expect(networks).toEqual({
    prometheus: ["mcp-fleet-docker-gateway-gateway", "mcp-fleet-docker-monitoring-monitoring"],
    alertmanager: ["mcp-fleet-docker-monitoring-monitoring"],
  });
  await until(async () => ((await fetch(`${alertmanager}/-/ready`)).ok ? true : undefined));
  const healthy = { context7: "1", sequential: "1" };
  await until(async () => {
    const found = await measured("mcp_server_health_status");
    return JSON.stringify(found) === JSON.stringify(healthy) ? true : undefined;
  });
  expect(await measured('up{job="mcp-fleet-monitoring"}')).toEqual({ "": "1" });
});

test("the token is in no log, no environment, no label and, plain, in no state", async () => {
  for (const name of ["gateway", "sequential", "monitoring"])
    for (const id of await containers(name)) {
      const { out, err } = await docker(["logs", id]);
      expect(out + err).not.toContain(token);
      expect(JSON.stringify(await inspect(id, "."))).not.toContain(token);
    }
  expect(await pulumi("stack export --stack docker")).not.toContain(token);
});

/** Kills a container's first process; resolves when the engine has started another one. */
async function killed(id: string): Promise<void> {
  const state = () => inspect<{ Pid: number; Status: string }>(id, ".State");
  const { Pid: first } = await state();
  process.kill(first, "SIGKILL");
  await until(async () => {
    const { Pid, Status } = await state();
    return Status === "running" && Pid !== first ? true : undefined;
  });
}

test("a server that is killed, or eats up its memory, is started again, and calls go on", async () => {
  const ids = await containers("sequential");
  const client = await connect();
  await killed(ids[0] as string);
  await until(async () => think(client));
  const greedy = `const held = []; for (;;) held.push(Buffer.alloc(16 << 20, 1))`;
  const { code } = await docker(["exec", ids[1] as string, "node", "-e", greedy]);
  expect(code).toBe(137);
  await until(async () => think(client));
  await client.close();
  const [gateway] = (await containers("gateway")) as [string];
  await killed(gateway);
  await until(() => serving("sequential"));
  const again = await connect();
  expect(await think(again)).toMatchObject({ thoughtHistoryLength: 1 });
  await again.close();
});

test("a server that stays away makes Prometheus fire and Alertmanager tell the webhook", async () => {
  const [context7] = (await containers("context7")) as [string];
  expect(alerts.last("ServerGone", "context7")).toBeUndefined();
  // Killed by the engine's own command it is not started again.
  await dockerOk(["kill", context7]);
  expect(await until(async () => alerts.last("ServerGone", "context7"))).toMatchObject({
    status: "firing",
    labels: { severity: "critical", component: "mcp-fleet" },
    annotations: { summary: "Server Gone: mcp_server_health_status is 0 at context7" },
  });
  expect(alerts.last("ServerGone", "sequential")).toBeUndefined();
});

test("a container that was removed behind the stack's back is found missing and made again", async () => {
  const [gone] = (await containers("context7")) as [string];
  await dockerOk(["rm", "--force", "--volumes", gone]);
  await pulumi("refresh --yes --stack docker");
  await up();
  await until(() => serving("context7"));
  expect(await containers("context7")).toHaveLength(1);
});

test("a changed fleet is replaced and nothing else, a new fleet joins, and no call fails meanwhile", async () => {
  const kept = async () => [await containers("context7"), await containers("gateway-front")];
  const before = await kept();
  configure((config) => {
    (config["mcp-fleet:fleets"].sequential as Record<string, unknown>).tags = { release: "second" };
    config["mcp-fleet:fleets"].magic = { platform: "docker", type: "magic" };
  });
  const load = await Load.start(`${url}/mcp`, { clients: 6, pauseMs: 50, call: thinking, headers });
  await up().finally(() => load.stop());
  const { calls, failures } = await load.stop();
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(6);
  expect(await kept()).toEqual(before);
  const [renewed] = (await containers("sequential")) as [string];
  expect(await inspect(renewed, ".Config.Labels")).toMatchObject({ release: "second" });
  await until(() => serving("magic"));
  const client = await connect("/mcp/magic");
  expect((await client.listTools()).tools.length).toBeGreaterThan(0);
  await client.close();
});

test("pulumi destroy leaves nothing on the Docker host", async () => {
  await pulumi("destroy --yes --stack docker");
  for (const kind of ["container", "network", "volume"]) {
    const all = kind === "container" ? ["--all"] : [];
    expect(await dockerOk([kind, "ls", ...all, "--quiet", "--filter", "label=mcp-fleet.name"])).toBe("");
  }
});
