import { afterEach, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import { FaultInstance } from "../support/fault-instance.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";
import { PlainClient } from "../support/steady-load.ts";

// What the alert on saturated pools reads is there for every kind of connection.
let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

async function instanceAt(): Promise<FaultInstance> {
  const instance = await FaultInstance.start();
  closing.push(() => instance.kill());
  return instance;
}
/** Longer than any test. */
const forever = 3_600_000;
async function serve(servers: Record<string, Server>, gateway = {}): Promise<TestGateway> {
  const started = await TestGateway.start({ gateway: { drainMs: 1, ...gateway }, servers });
  closing.push(() => started.close());
  return started;
}

/** Waits until the gauges of the server `echo` say this. */
async function until({ url }: TestGateway, utilization: number, waiting: number): Promise<void> {
  const gauge = (text: string, name: string) =>
    Number(new RegExp(`^${name}\\{server="echo"\\} (\\S+)$`, "m").exec(text)?.[1]);
  let seen: number[] = [];
  for (let tries = 0; tries < 500; tries += 1) {
    const text = await (await fetch(`${url}/metrics`)).text();
    seen = [gauge(text, "mcp_connection_pool_utilization"), gauge(text, "mcp_server_waiting")];
    if (seen[0] === utilization && seen[1] === waiting) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(seen).toEqual([utilization, waiting]);
}

/** So many calls that nobody waits for. */
async function calls(gateway: TestGateway, count: number, tool = "read", args = {}): Promise<void> {
  const client = await PlainClient.open(`${gateway.url}/mcp/echo`);
  for (let call = 0; call < count; call += 1) client.call(tool, { n: call, ...args }).catch(() => {});
}

const shared = (url: string, more: Partial<Server>): Server => ({
  ...{ type: "custom", isolation: "shared", endpoints: [url], healthCheck: { enabled: false }, ...more },
});

test("HTTP: busy connections over pool.maxConnections, and the calls that wait for one", async () => {
  const instance = await instanceAt();
  const gateway = await serve({ echo: shared(instance.url, { pool: { maxConnections: 2 } }) });
  await (await PlainClient.open(`${gateway.url}/mcp/echo`)).call("read");
  await until(gateway, 0.001, 0);
  await instance.delay(forever);
  await calls(gateway, 5);
  await until(gateway, 1, 3);
});

test.each(["tcp", "ws"] as const)("%s: calls in flight over concurrency.maxInFlight", async (protocol) => {
  const instance = await instanceAt();
  const behind = await serve({ echo: shared(instance.url, {}) }, { listeners: { tcp: { port: 0, server: "echo" } } });
  const address =
    protocol === "tcp" ? `tcp://127.0.0.1:${behind.gateway.tcpPort}` : `${behind.url.replace("http", "ws")}/ws/echo`;
  const gateway = await serve({ echo: shared(address, { concurrency: { maxInFlight: 2, maxQueue: 8 } }) });
  await (await PlainClient.open(`${gateway.url}/mcp/echo`)).call("read");
  await instance.delay(forever);
  await calls(gateway, 6);
  await until(gateway, 1, 4);
});

test("stdio: processes over maxInstances where sessions have their own, else calls in flight", async () => {
  const slow = { steps: 1, ms: 100_000 };
  const own = await serve({ echo: statefulServer({ scaling: { minInstances: 0, maxInstances: 1 } }) });
  await calls(own, 1, "slow", slow);
  await calls(own, 1, "slow", slow);
  await until(own, 1, 1);
  const together = await serve({ echo: statefulServer({ isolation: "shared", concurrency: { maxInFlight: 1 } }) });
  await calls(together, 3, "slow", slow);
  await until(together, 1, 2);
});
