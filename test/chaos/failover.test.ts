import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import { FaultInstance } from "../support/fault-instance.ts";
import { TestGateway } from "../support/gateway.ts";
import { PlainClient, SteadyLoad } from "../support/steady-load.ts";

let instances: FaultInstance[];
let gateway: TestGateway;
let load: SteadyLoad | undefined;

beforeEach(async () => {
  instances = await Promise.all([FaultInstance.start(), FaultInstance.start(), FaultInstance.start()]);
});
afterEach(async () => {
  await load?.stop();
  load = undefined;
  await gateway.close();
  await Promise.all(instances.map((instance) => instance.kill()));
});

async function start(more: Partial<Server> = {}): Promise<void> {
  const healthCheck = { intervalMs: 1000, timeoutMs: 400, outlier: { ejectionMs: 1000 } };
  const server: Server = {
    ...{ type: "custom", isolation: "shared", timeouts: { requestMs: 20_000 }, healthCheck },
    ...{ endpoints: instances.map(({ url }) => url), ...more },
  };
  gateway = await TestGateway.start({ servers: { echo: server } });
}
const stateOf = ({ url }: FaultInstance) =>
  gateway.gateway.instances("echo").find(({ address }) => address === url)?.state;

/** Waits until it is so, while the load goes on. */
async function until(instance: FaultInstance, ...states: unknown[]): Promise<void> {
  for (let tries = 0; tries < 3000; tries += 1) {
    if (states.includes(stateOf(instance))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${instance.url} is ${stateOf(instance)}, not ${states.join(" or ")}`);
}

test("one instance is killed, another hangs, the third is slow: no call that may be repeated fails, and each is taken back", async () => {
  await start();
  load = await SteadyLoad.start({ url: `${gateway.url}/mcp/echo`, callers: 8, pauseMs: 5, tool: "read" });
  const [killed, hung, slow] = instances as [FaultInstance, FaultInstance, FaultInstance];
  await load.answered(50);

  await killed.kill();
  await until(killed, "starting");
  await load.answered(50);
  await killed.back();
  await until(killed, "ready");

  hung.signal("SIGSTOP");
  await until(hung, "unhealthy");
  await load.answered(50);
  hung.signal("SIGCONT");
  await until(hung, "ready");

  await slow.delay(2000);
  await until(slow, "unhealthy", "ejected");
  await load.answered(50);
  await slow.delay(0);
  await until(slow, "ready");

  // All at once: what is left serves.
  await killed.kill();
  hung.signal("SIGSTOP");
  await slow.delay(2000);
  await load.answered(30);
  hung.signal("SIGCONT");
  const { sent, failed, worstMs, errors } = await load.stop();
  expect({ failed, errors, hung: worstMs > 20_000 }).toEqual({ failed: 0, errors: [], hung: false });
  expect(sent).toBeGreaterThan(200);
});

test("the owner of a session keeps its instance while that serves, and begins anew on another one when it is gone", async () => {
  await start({ isolation: "session" });
  const clients = await Promise.all(Array.from({ length: 6 }, () => PlainClient.open(`${gateway.url}/mcp/echo`)));
  const homes = await Promise.all(clients.map(async (client) => (await client.call("read")).pid));
  expect(new Set(homes).size).toBeGreaterThan(1);
  for (let round = 0; round < 3; round += 1) {
    expect(await Promise.all(clients.map(async (client) => (await client.call("read")).pid))).toEqual(homes);
  }
  await (instances[0] as FaultInstance).kill();
  const after = await Promise.all(clients.map(async (client) => (await client.call("read")).pid));
  const living = new Set(after);
  expect(living.size).toBeLessThanOrEqual(2);
  const kept = homes.filter((home) => living.has(home));
  expect(after.filter((home, index) => home === homes[index])).toEqual(kept);
});

test("a server that was killed and is back with its sessions lost: each old session's first call succeeds", async () => {
  const only = instances[0] as FaultInstance;
  await start({ endpoints: [only.url], isolation: "session" });
  const clients = await Promise.all(Array.from({ length: 20 }, () => PlainClient.open(`${gateway.url}/mcp/echo`)));
  await Promise.all(clients.map((client) => client.call("write")));
  await only.kill();
  const outage = await Promise.allSettled(clients.slice(0, 5).map((client) => client.call("write")));
  expect(outage.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
  await only.back();
  const answers = await Promise.all(clients.map((client, n) => client.call("write", { n })));
  expect(answers.map(({ n }) => n)).toEqual(clients.map((_, n) => n));
});

test("the same with a shared session: nobody waits for the next attempt of a growing delay", async () => {
  const only = instances[0] as FaultInstance;
  await start({ endpoints: [only.url] });
  const clients = await Promise.all(Array.from({ length: 20 }, () => PlainClient.open(`${gateway.url}/mcp/echo`)));
  await Promise.all(clients.map((client) => client.call("write")));
  await only.kill();
  for (let call = 0; call < 40; call += 1) {
    await expect((clients[call % 5] as PlainClient).call("write")).rejects.toThrow(`127.0.0.1:${only.port}`);
  }
  await only.back();
  const answers = await Promise.all(clients.map((client, n) => client.call("write", { n })));
  expect(answers.map(({ n }) => n)).toEqual(clients.map((_, n) => n));
});

test("a call that may have had an effect is not sent twice, and tells that it was lost", async () => {
  await start({ endpoints: [(instances[0] as FaultInstance).url] });
  const only = instances[0] as FaultInstance;
  const client = await PlainClient.open(`${gateway.url}/mcp/echo`);
  expect((await client.call("write")).written).toBe(1);
  await only.delay(1000);
  const lost = client.call("write").catch((error) => error);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await only.kill();
  expect((await lost).data).toMatchObject({ code: "INSTANCE_LOST", retryable: true });
  await only.back();
  expect((await client.call("write")).written).toBe(1);
});

test("a fleet that cannot serve hands its calls to its fallback", async () => {
  const [first, second] = instances as [FaultInstance, FaultInstance];
  const shared = { type: "custom" as const, isolation: "shared" as const };
  gateway = await TestGateway.start({
    servers: {
      main: { ...shared, endpoints: [first.url], fallback: ["spare"] },
      spare: { ...shared, endpoints: [second.url] },
    },
  });
  const client = await PlainClient.open(`${gateway.url}/mcp/main`);
  const before = await client.call("write");
  await first.kill();
  const during = await client.call("write");
  expect(during.pid).not.toBe(before.pid);
  await first.back();
  for (let tries = 0; (await client.call("write")).pid === during.pid && tries < 50; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect((await client.call("write")).pid).not.toBe(during.pid);
});
