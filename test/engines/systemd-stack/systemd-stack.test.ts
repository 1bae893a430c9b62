import { randomBytes } from "node:crypto";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { AlertReceiver } from "../../support/alert-receiver.ts";
import { Checkout, freePort } from "../../support/checkout.ts";
import { until } from "../../support/docker.ts";
import { engineFolder } from "../../support/engine-folder.ts";
import { Machine } from "../../support/machine.ts";
import { has } from "../../support/present.ts";
import { storyWith } from "../../support/story.ts";

// The stack `systemd` by the real Pulumi engine, on a machine that is namespaces of this one: its systemd is the first process there.
const needs = [
  "a Pulumi engine",
  "root, and systemd for the first process of a namespace",
  "promtool and amtool",
] as const;
const test = storyWith(...needs);
const able = needs.every((need) => has(need));
const root = join(import.meta.dirname, "../../..");
const token = `canary-${randomBytes(16).toString("hex")}`;
const headers = { authorization: `Bearer ${token}` };
const gateway = "mcp-fleet-systemd-gateway-gateway";
const sequential = "mcp-fleet-systemd-fleet-sequential";
const monitoring = "mcp-fleet-systemd-monitoring-monitoring";

let checkout: Checkout;
let machine: Machine;
let alerts: AlertReceiver | undefined;
let url: string;
let port: number;

beforeAll(async () => {
  if (!able) return;
  checkout = new Checkout({ modules: "installed" });
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
  checkout.configure((config) => {
    (config["mcp-fleet:gateway"] as Record<string, unknown>).port = port;
  }, "systemd");
  machine = await Machine.start(checkout.path, join(root, "node_modules"));
  await machine.runOk("mkdir /tmp/backend /tmp/pulumi");
  await pulumi("stack init systemd");
  await pulumi(`config set --stack systemd --secret --path mcp-fleet:secrets.operator ${token}`);
}, 120_000);
afterAll(async () => {
  if (!able) return;
  alerts?.close();
  await machine?.close();
  checkout?.close();
}, 60_000);

/** Runs the real engine there; rejects with what it said. */
function pulumi(line: string): Promise<string> {
  const modules = "/opt/mcp-fleet/node_modules";
  const folders = [engineFolder, `${modules}/node/bin`, `${modules}/@pulumi/pulumi`, process.env.PATH];
  return machine.runOk(`cd /opt/mcp-fleet && pulumi ${line} --non-interactive --color never`, {
    // npm's own settings, where packages come through a proxy.
    ...checkout.env,
    ...{ PATH: folders.join(delimiter), TMPDIR: "/tmp" },
    ...{ HOME: "/root", PULUMI_HOME: "/tmp/pulumi", PULUMI_BACKEND_URL: "file:///tmp/backend", CI: "true" },
    ...{ PULUMI_CONFIG_PASSPHRASE: "", PULUMI_SKIP_UPDATE_CHECK: "true", TS_NODE_CACHE: "false" },
  });
}

const up = () => pulumi("up --yes --skip-preview --stack systemd");

async function connect(path = "/mcp"): Promise<Client> {
  const client = new Client({ name: "story", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(path, url), { requestInit: { headers } }));
  return client;
}

async function think(client: Client): Promise<unknown> {
  const thought = { thought: "a", thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false };
  const { content, isError } = await client.callTool({ name: "sequential__sequentialthinking", arguments: thought });
  expect(isError).toBeUndefined();
  return JSON.parse((content as { text: string }[])[0]?.text as string);
}

/** A property of a unit, as systemd has it. */
const show = async (unit: string, property: string) =>
  (await machine.runOk(`systemctl show --value --property ${property} ${unit}`)).trim();
const units = async () =>
  (await machine.runOk("systemctl list-units --plain --no-legend 'mcp-fleet-*'"))
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/).slice(0, 4).join(" "));
const serving = async (name: string) => {
  const { servers } = (await (await fetch(`${url}/ready`, { headers })).json()) as { servers: Record<string, string> };
  return servers[name] === "ready" ? true : undefined;
};

test("pulumi up brings the services up; clients call through the gateway's socket, and nobody without the token", async () => {
  await up();
  expect(await units()).toEqual([
    "mcp-fleet-systemd-fleet-context7@3001.service loaded active running",
    `${sequential}@3001.service loaded active running`,
    `${sequential}@3002.service loaded active running`,
    `${gateway}.service loaded active running`,
    `${gateway}.socket loaded active running`,
  ]);
  await until(() => serving("sequential"));
  const client = await connect();
  const names = (await client.listTools()).tools.map(({ name }) => name);
  expect(names).toContain("sequential__sequentialthinking");
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
  expect(await pulumi("preview --expect-no-changes --refresh --stack systemd")).toMatch(/\d+ unchanged/);
});

test("services have users of their own, no capability, and no file that they could change; the manager bounds them", async () => {
  const users = new Set<string>();
  for (const unit of [`${gateway}.service`, `${sequential}@3001.service`]) {
    const pid = await show(unit, "MainPID");
    const status = await machine.runOk(`cat /proc/${pid}/status`);
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\w+)`, "m").exec(status)?.[1];
    expect({
      caps: field("CapEff"),
      bounding: field("CapBnd"),
      noNew: field("NoNewPrivs"),
      filter: field("Seccomp"),
    }).toEqual({
      ...{ caps: "0000000000000000", bounding: "0000000000000000", noNew: "1", filter: "2" },
    });
    users.add(field("Uid") as string);
    const mounts = await machine.runOk(`cat /proc/${pid}/mounts`);
    expect(mounts).toMatch(/^\S+ \/ \S+ ro,/m);
    expect(await show(unit, "MemoryMax")).toBe(String(512 * 2 ** 20));
    expect(await show(unit, "CPUQuotaPerSecUSec")).toBe("1s");
  }
  expect([...users].filter((id) => Number(id) >= 61_184)).toHaveLength(2);
});

test("a fleet's services let in nobody but the gateway, though every user of the machine reaches their port", async () => {
  const config = JSON.parse(await machine.runOk(`cat /etc/mcp-fleet/${gateway}/mcp-fleet.config.json`));
  const [endpoint] = config.servers.sequential.endpoints as [string];
  const status = (authorization: string) =>
    machine.runOk(
      `curl -s -o /dev/null -w '%{http_code}' -X POST -d '{}' -H 'authorization: ${authorization}' ${endpoint}`,
    );
  expect(await status("Bearer guess")).toBe("401");
  const own = (await machine.runOk(`cat /etc/mcp-fleet/${sequential}/mcp-fleet.token`)).trim();
  expect(own).toHaveLength(43);
  expect(await status(`Bearer ${own}`)).not.toBe("401");
});

test("the secret is in no unit, no environment and no log, and others than root cannot read it", async () => {
  const pid = await show(`${gateway}.service`, "MainPID");
  const seen = await machine.runOk(
    `cat /etc/systemd/system/mcp-fleet-*.service /etc/systemd/system/mcp-fleet-*.d/*; tr '\\0' '\\n' < /proc/${pid}/environ; journalctl --no-pager`,
  );
  expect(seen).not.toContain(token);
  expect(await machine.runOk(`stat -c '%a %U' /etc/mcp-fleet/${gateway} /etc/mcp-fleet/${gateway}/operator`)).toBe(
    "700 root\n600 root\n",
  );
  expect(await pulumi("stack export --stack systemd")).not.toContain(token);
});

test("a service that is killed is started again, and calls go on", async () => {
  const client = await connect();
  const pids = await Promise.all([3001, 3002].map((at) => show(`${sequential}@${at}.service`, "MainPID")));
  await machine.runOk(`kill -9 ${pids[0]}`);
  await until(async () => think(client));
  await until(async () => ((await show(`${sequential}@3001.service`, "SubState")) === "running" ? true : undefined));
  expect(await show(`${sequential}@3001.service`, "NRestarts")).toBe("1");
  await client.close();
});

test("a change is a drop-in, and starts anew what it is about, one service after the other", async () => {
  const started = async () =>
    Object.fromEntries(
      await Promise.all(
        [
          `${gateway}.service`,
          "mcp-fleet-systemd-fleet-context7@3001.service",
          ...[3001, 3002].map((at) => `${sequential}@${at}.service`),
        ].map(async (unit) => [unit, Number(await show(unit, "ActiveEnterTimestampMonotonic"))] as const),
      ),
    );
  const before = await started();
  const template = await machine.runOk(`cat /etc/systemd/system/${sequential}@.service`);
  checkout.configure((config) => {
    (config["mcp-fleet:fleets"].sequential as Record<string, unknown>).container = { memoryMiB: 384 };
  }, "systemd");
  expect(await pulumi("preview --diff --stack systemd")).toMatch(/MemoryMax=384M/);
  await up();
  const after = await started();
  const changed = Object.keys(after).filter((unit) => after[unit] !== before[unit]);
  expect(changed).toEqual([`${sequential}@3001.service`, `${sequential}@3002.service`]);
  const [first, second] = changed as [string, string];
  // The second was stopped only when the first one served.
  const stopped = Number(await show(second, "InactiveExitTimestampMonotonic"));
  expect(stopped).toBeGreaterThan(after[first] as number);
  expect(await machine.runOk(`cat /etc/systemd/system/${sequential}@.service`)).toBe(template);
  expect(await show(first, "MemoryMax")).toBe(String(384 * 2 ** 20));
});

test("while the gateway is started anew, nobody is refused: connections wait in its socket", async () => {
  const client = await connect();
  await think(client);
  await machine.runOk(`systemctl stop ${gateway}.service`);
  // The service is gone, its socket is not: the request itself starts it again.
  expect((await fetch(`${url}/health`)).status).toBe(200);
  await until(() => serving("sequential"));
  // The session's id is sealed with a key that the service has kept.
  expect(await until(async () => think(client))).toMatchObject({ thoughtHistoryLength: expect.any(Number) });
  await client.close();
});

test("what does not start is not rolled out: the first instance tells, the old files come back", async () => {
  const file = `/etc/systemd/system/${sequential}@.service.d/50-stack.conf`;
  const before = await machine.runOk(`cat ${file}`);
  await machine.runOk("mkdir -p /srv && printf '#!/bin/sh\\nexit 1\\n' > /srv/broken && chmod 755 /srv/broken");
  const fleets = (change: (one: Record<string, unknown>) => void) =>
    checkout.configure((config) => change(config["mcp-fleet:fleets"].sequential as Record<string, unknown>), "systemd");
  fleets((one) => {
    one.systemd = { program: "/srv/broken" };
  });
  await expect(up()).rejects.toThrow(/sequential@3001\.service does not start/);
  expect(await machine.runOk(`cat ${file}`)).toBe(before);
  fleets((one) => {
    one.systemd = undefined;
  });
  await until(() => serving("sequential"));
  expect(await units()).toHaveLength(5);
});

test("a gateway that is watched: Prometheus and Alertmanager are services too, and tell a webhook of a server that stays away", async () => {
  alerts = await AlertReceiver.start("127.0.0.1");
  const ports = { prometheus: await freePort(), alertmanager: await freePort() };
  checkout.configure((config) => {
    config["mcp-fleet:monitoring"] = {
      platform: "systemd",
      alertRules: [
        {
          ...{ name: "Server Gone", metric: "mcp_server_health_status", condition: "lt", threshold: 1 },
          ...{ severity: "critical", forSeconds: 0 },
        },
      ],
      notifications: { webhook: alerts?.url },
      systemd: {
        token: "file:/run/secrets/mcp-fleet/operator",
        prometheus: { port: ports.prometheus },
        alertmanager: { port: ports.alertmanager },
      },
    };
  }, "systemd");
  await up();
  expect((await units()).filter((line) => line.includes("monitoring"))).toEqual([
    `${monitoring}-alertmanager.service loaded active running`,
    `${monitoring}-prometheus.service loaded active running`,
  ]);
  expect(await pulumi("preview --expect-no-changes --refresh --stack systemd")).toMatch(/\d+ unchanged/);
  const query = `http://127.0.0.1:${ports.prometheus}/api/v1/query?query=mcp_server_health_status`;
  const measured = async () => {
    const { data } = (await (await fetch(query)).json()) as { data: { result: { value: [number, string] }[] } };
    return data.result.map(({ value: [, value] }) => value);
  };
  await until(async () => ((await measured()).join() === "1,1" ? true : undefined));
  await machine.runOk(`systemctl stop '${sequential}@*.service'`);
  expect(await until(async () => alerts?.last("ServerGone", "sequential"))).toMatchObject({
    status: "firing",
    labels: { severity: "critical", component: "mcp-fleet" },
    annotations: { summary: "Server Gone: mcp_server_health_status is 0 at sequential" },
  });
  expect(alerts.last("ServerGone", "context7")).toBeUndefined();
});

test("pulumi destroy leaves no unit, no process, no secret and no state", async () => {
  await up();
  await pulumi("destroy --yes --stack systemd");
  expect(await units()).toEqual([]);
  const left =
    "ls -d /etc/systemd/system/mcp-fleet-* /etc/systemd/system/*/mcp-fleet-* /etc/mcp-fleet/* /var/lib/private/mcp-fleet-*";
  expect((await machine.run(left)).out).toBe("");
  await expect(fetch(`${url}/health`)).rejects.toThrow("fetch failed");
});
