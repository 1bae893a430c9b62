import { afterEach, expect, test } from "@jest/globals";
import { request } from "undici";
import type { Server } from "../../runtime/config/schema/index.ts";
import { freePort } from "../support/checkout.ts";
import { FaultInstance } from "../support/fault-instance.ts";
import { TestGateway } from "../support/gateway.ts";

let gateway: TestGateway;
let instance: FaultInstance | undefined;
afterEach(async () => {
  await gateway.close();
  await instance?.kill();
  instance = undefined;
});

async function ready(): Promise<unknown[]> {
  const { statusCode, body } = await request(`${gateway.url}/ready`);
  return [statusCode, await body.json()];
}

/** Waits until `/ready` says this. */
async function until(status: number, servers: Record<string, string>): Promise<void> {
  const wanted = [status, { ready: status === 200, servers }];
  for (let tries = 0; tries < 1000 && JSON.stringify(await ready()) !== JSON.stringify(wanted); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(await ready()).toEqual(wanted);
}

const remote = (url: string, more: Partial<Server> = {}): Server => ({
  ...{ type: "custom", isolation: "shared", endpoints: [url], healthCheck: { intervalMs: 100 } },
  ...more,
});
const nowhere = async () => `http://127.0.0.1:${await freePort()}/mcp`;

test("a server that is not there takes the gateway from no other one", async () => {
  instance = await FaultInstance.start();
  const servers = { alive: remote(instance.url), dead: remote(await nowhere()) };
  gateway = await TestGateway.start({ servers });
  await until(200, { alive: "ready", dead: "failed" });
});

test("without a required server it is not ready: never found, lost, and back", async () => {
  instance = await FaultInstance.start();
  gateway = await TestGateway.start({ servers: { alive: remote(instance.url, { required: true }) } });
  await until(200, { alive: "ready" });
  await instance.kill();
  await until(503, { alive: "failed" });
  await instance.back();
  await until(200, { alive: "ready" });
});

test.each([
  ["has ended", () => instance?.kill(), () => instance?.back()],
  ["hangs", () => instance?.signal("SIGSTOP"), () => instance?.signal("SIGCONT")],
])("a client's session does not make a server ready that %s", async (_name, leave, comeBack) => {
  instance = await FaultInstance.start();
  const healthCheck = { intervalMs: 100, timeoutMs: 200 };
  gateway = await TestGateway.start({
    servers: { alive: remote(instance.url, { isolation: "session", healthCheck }) },
  });
  const client = await gateway.connect("/mcp/alive");
  await client.callTool({ name: "whoami", arguments: {} });
  await until(200, { alive: "ready" });
  await leave();
  await until(200, { alive: "failed" });
  await comeBack();
  await until(200, { alive: "ready" });
});

test("a fleet without any instance, as at scale zero, does not keep the gateway back; a required one does", async () => {
  const discovery = { dns: { name: "nobody.invalid", port: 80 } };
  const scaled = { type: "custom", isolation: "shared", discovery } as Server;
  gateway = await TestGateway.start({ servers: { scaled } });
  await until(200, { scaled: "idle" });
  await gateway.close();
  gateway = await TestGateway.start({ servers: { scaled: { ...scaled, required: true } } });
  await until(503, { scaled: "idle" });
});

test("a required process at rest is there: a call would start it", async () => {
  const process = { command: "nothing-that-runs" };
  const rests: Server = { type: "custom", process, scaling: { minInstances: 0 }, required: true };
  gateway = await TestGateway.start({ servers: { rests } });
  await until(200, { rests: "idle" });
});

test("nothing is ready before every server has been tried", async () => {
  instance = await FaultInstance.start();
  instance.signal("SIGSTOP");
  gateway = await TestGateway.start({ servers: { slow: remote(instance.url) } });
  await until(503, { slow: "starting" });
  instance.signal("SIGCONT");
  await until(200, { slow: "ready" });
});
