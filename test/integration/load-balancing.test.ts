import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import type { GatewayOptions } from "../../runtime/gateway.ts";
import { Strategies } from "../../runtime/index.ts";
import { FaultInstance } from "../support/fault-instance.ts";
import { TestGateway } from "../support/gateway.ts";
import { PlainClient } from "../support/steady-load.ts";

// Three instances, each a process of its own, that say their process id.
let instances: FaultInstance[];
let gateway: TestGateway | undefined;
let client: PlainClient;

beforeEach(async () => {
  instances = await Promise.all([1, 2, 3].map(() => FaultInstance.start()));
});
afterEach(async () => {
  await gateway?.close();
  await Promise.all(instances.map((instance) => instance.kill()));
});

async function start(server: Partial<Server>, options: Partial<GatewayOptions> = {}): Promise<void> {
  gateway = await TestGateway.start({ servers: { echo: { type: "custom", isolation: "shared", ...server } } }, options);
  await allReady();
  client = await PlainClient.open(`${gateway.url}/mcp/echo`);
}

async function allReady(): Promise<void> {
  for (let tries = 0; gateway?.gateway.instances("echo").some(({ state }) => state !== "ready"); tries += 1) {
    if (tries === 500) throw new Error("not every instance became ready");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const urls = () => instances.map(({ url }) => url);

/** How many of so many calls each process took, the most first. */
async function shares(calls: number): Promise<number[]> {
  const taken = new Map<unknown, number>();
  for (let call = 0; call < calls; call += 1) {
    const { pid } = await client.call("read");
    taken.set(pid, (taken.get(pid) ?? 0) + 1);
  }
  return [...taken.values()].sort((a, b) => b - a);
}

test("a strategy that a program has registered chooses the instance, and learns who calls", async () => {
  const strategies = new Strategies();
  const owners = new Set<string>();
  strategies.registerLoadBalancer("highest-port", () => ({
    pick(candidates, owner) {
      owners.add(owner);
      return candidates.toSorted((a, b) => b.address.localeCompare(a.address, "en", { numeric: true }))[0] as never;
    },
  }));
  await start({ endpoints: urls(), loadBalancer: { strategy: "custom:highest-port" } }, { strategies });
  expect(await shares(10)).toEqual([10]);
  expect(owners.size).toBe(1);
});

test.each(["session", "caller"] as const)(
  "isolation %s: a strategy takes one turn for each session",
  async (isolation) => {
    await start({ endpoints: urls().slice(0, 2), isolation, loadBalancer: { strategy: "round-robin" } });
    const taken = new Map<unknown, number>();
    for (let session = 0; session < 8; session += 1) {
      const { pid } = await (await PlainClient.open(`${gateway?.url}/mcp/echo`)).call("read");
      taken.set(pid, (taken.get(pid) ?? 0) + 1);
    }
    expect([...taken.values()]).toEqual([4, 4]);
  },
);

test("a strategy that nobody has registered is refused by name", async () => {
  await expect(start({ endpoints: urls(), loadBalancer: { strategy: "custom:mine" } })).rejects.toThrow(
    'servers.echo.loadBalancer.strategy: is "custom:mine"; give one of round-robin, least-connections, weighted, resource-based, or register it before the gateway starts',
  );
});

test("instances of the gateway's own zone take all calls, until too few of them are left", async () => {
  const [a, b, far] = urls() as [string, string, string];
  const found = [
    { url: a, zone: "near" },
    { url: b, zone: "near" },
    { url: far, zone: "far" },
  ];
  const healthCheck = { intervalMs: 100, timeoutMs: 100, unhealthyThreshold: 1 };
  await start({ discovery: { static: found }, healthCheck, loadBalancer: { strategy: "round-robin", zone: "near" } });
  expect(await shares(20)).toEqual([10, 10]);
  await Promise.all([instances[0]?.kill(), instances[1]?.kill()]);
  expect(await shares(5)).toEqual([5]);
});

test("an instance that comes back takes little at first", async () => {
  const slowStartMs = 3000;
  await start({
    ...{ endpoints: urls(), healthCheck: { intervalMs: 100 } },
    loadBalancer: { strategy: "round-robin", slowStartMs },
  });
  expect(await shares(30)).toEqual([10, 10, 10]);
  await instances[0]?.kill();
  // The others have their full share by then.
  await new Promise((resolve) => setTimeout(resolve, slowStartMs));
  await instances[0]?.back();
  await allReady();
  const [, second = 0, least = 0] = await shares(60);
  // Of its turns it takes a tenth, growing; without a slow start all three would take twenty.
  expect([second >= 20, least < 14]).toEqual([true, true]);
});
