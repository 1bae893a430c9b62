import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  ConnectionPool,
  type ConnectionPoolConfig,
  type EvictionPolicy,
} from "../../../../runtime/performance/pools/index.ts";
import { resolvePool } from "../../../../runtime/performance/pools/pool-config.ts";
import type { RpcReply } from "../../../../runtime/protocol/json-rpc.ts";
import { RawReply } from "../../../../runtime/protocol/raw-reply.ts";
import type { SessionEvents } from "../../../../runtime/upstreams/upstream-session.ts";
import { FakeConnector, FakeSession, settled } from "../../../support/fake-connector.ts";

/** Answers at once, as long as it is well. */
class PromptSession extends FakeSession {
  well = true;

  override async request(method: string): Promise<RpcReply> {
    this.calls.push({ method, params: undefined, resolve: () => {}, reject: () => {} });
    if (!this.well) throw new Error("no answer");
    return new RawReply('"0123456789"');
  }
}
class PromptConnector extends FakeConnector {
  override async connect(events: SessionEvents): Promise<PromptSession> {
    if (this.failures > 0) return (await super.connect(events)) as never;
    const session = new PromptSession(events);
    this.sessions.push(session);
    return session;
  }
}

let connector: PromptConnector;
let time: number;
let pool: ConnectionPool;
const make = (config: ConnectionPoolConfig = {}) => {
  const resolved = resolvePool("docs", { maxConnections: 3, acquireTimeout: 50, idleTimeout: 1000, ...config });
  const clock = { now: () => time, random: () => 0 };
  pool = new ConnectionPool({ id: "docs", protocol: "tcp", config: resolved, connector, timeoutMs: 100, ...clock });
};
beforeEach(() => {
  connector = new PromptConnector();
  time = 0;
});
afterEach(() => pool.close());
const open = () => connector.sessions.filter(({ closed }) => !closed).length;
const borrow = (count: number) => Promise.all(Array.from({ length: count }, () => pool.acquire()));
const giveBack = async (connections: Awaited<ReturnType<typeof borrow>>) => {
  for (const connection of connections) await pool.release(connection);
};

test("ten thousand callers wait for a connection; the next one is refused at once", async () => {
  make({ maxConnections: 1, acquireTimeout: 60_000 });
  const [taken] = await borrow(1);
  const waiting = Array.from({ length: 10_000 }, () => pool.use(async () => {}));
  await expect(pool.acquire()).rejects.toMatchObject({
    code: "POOL_EXHAUSTED",
    message: 'pool "docs": 10000 callers wait for a connection; send less at once, or raise maxConnections',
  });
  await pool.release(taken as NonNullable<typeof taken>);
  await Promise.all(waiting);
  await pool.use(async () => {});
});

test("the minimum is opened ahead, the maximum is never passed, and who waits too long is told", async () => {
  make({ minConnections: 2 });
  await pool.warmUp();
  expect(open()).toBe(2);
  const taken = await borrow(3);
  expect([open(), pool.statistics().utilization]).toEqual([3, 1]);
  await expect(pool.acquire()).rejects.toMatchObject({
    code: "POOL_EXHAUSTED",
    message:
      'pool "docs": no connection came free within 50 ms (ResourceRequest timed out); give connections back sooner, or raise maxConnections',
  });
  await giveBack(taken);
  expect(await pool.request("ping")).toEqual(new RawReply('"0123456789"'));
  expect(pool.statistics()).toEqual({
    ...{ id: "docs", protocol: "tcp", total: 3, idle: 3, inUse: 0, waiting: 0, max: 3, utilization: 0 },
    ...{ acquired: 6, opened: 3, failedToOpen: 0, evicted: 0, expired: 0, unhealthy: 0, lost: 0 },
    wait: { max: 0, mean: 0 },
  });
});

test("a connection goes to one holder at a time, and to the next one when it is given back", async () => {
  make({ maxConnections: 1, acquireTimeout: 1000 });
  const first = await pool.acquire();
  const second = pool.acquire();
  await settled();
  expect(pool.statistics().waiting).toBe(1);
  time = 5;
  await pool.release(first);
  expect(await second).toBe(first);
  expect(pool.statistics().wait).toEqual({ max: 5, mean: 2.5 });
  await pool.release(first);
});

test("one that has ended is never lent again", async () => {
  make();
  await giveBack([await pool.acquire()]);
  connector.sessions[0]?.die("gone");
  await settled();
  const next = await pool.acquire();
  expect([connector.sessions.length, next.ended]).toEqual([2, undefined]);
  connector.sessions[1]?.die("gone while lent");
  await settled();
  await pool.release(next);
  expect([pool.statistics().total, pool.statistics().lost]).toEqual([0, 2]);
});

test("one that is older than maxLifetime is replaced, idle or when it is lent next", async () => {
  make({ maxLifetime: 500, minConnections: 1 });
  await pool.warmUp();
  time = 500;
  await giveBack([await pool.acquire()]);
  expect([connector.sessions.length, open(), pool.statistics().expired]).toEqual([2, 1, 1]);
  time = 1000;
  await pool.tend();
  await settled();
  expect([connector.sessions.length, open(), pool.statistics().expired]).toEqual([3, 1, 2]);
});

test.each<[EvictionPolicy, string[]]>([
  ["lru", ["last used"]],
  ["lfu", ["most used"]],
  ["fifo", ["newest"]],
  ["size", ["newest"]],
])("of what has been idle for too long %s keeps %j, for the minimum", async (evictionPolicy, kept) => {
  make({ evictionPolicy, minConnections: 1 });
  const names = ["last used", "most used", "newest"];
  const connections: Awaited<ReturnType<typeof borrow>> = [];
  for (time = 0; time < 3; time += 1) connections.push(await pool.acquire());
  const [lastUsed, mostUsed, newest] = connections as [never, (typeof connections)[0], never];
  mostUsed.uses += 2;
  for (const one of [lastUsed, mostUsed] as typeof connections) await one.request("ping");
  for (const one of [newest, mostUsed, lastUsed]) {
    time += 1;
    await pool.release(one);
  }
  time = 2000;
  await pool.tend();
  await settled();
  expect(names.filter((_name, index) => connections[index]?.ended === undefined)).toEqual(kept);
  expect([pool.statistics().total, pool.statistics().evicted]).toEqual([1, 2]);
});

test("idle ones are pinged, and replaced after maxFailures in a row", async () => {
  make({ minConnections: 1, healthCheck: { interval: 100, maxFailures: 2 } });
  await pool.warmUp();
  const session = connector.sessions[0] as PromptSession;
  session.well = false;
  time = 99;
  await pool.tend();
  expect(session.calls).toHaveLength(0);
  time = 100;
  await pool.tend();
  expect([session.calls.map(({ method }) => method), session.closed]).toEqual([["ping"], false]);
  time = 200;
  await pool.tend();
  await settled();
  expect([session.closed, open(), pool.statistics().unhealthy]).toEqual([true, 1, 1]);
});

test("when the server cannot be reached that is what is said, and it is tried again", async () => {
  connector.failures = 1;
  make({ acquireTimeout: 500 });
  expect(await pool.acquire().then(pool.release.bind(pool))).toBeUndefined();
  expect([pool.statistics().failedToOpen, pool.statistics().opened]).toEqual([1, 1]);
  await pool.close();
  connector.failures = 100;
  make({ acquireTimeout: 60 });
  await expect(pool.acquire()).rejects.toMatchObject({
    code: "INSTANCE_START_FAILED",
    message: "the fake did not start",
  });
});

test("a closed pool has closed every connection and lends none", async () => {
  make({ minConnections: 2 });
  await pool.warmUp();
  await pool.close();
  expect(open()).toBe(0);
  await expect(pool.acquire()).rejects.toMatchObject({ code: "DRAINING" });
});

test.each([
  [
    { minConnections: 4, maxConnections: 3 },
    'pool "docs": minConnections is 4; it must be no more than maxConnections (3)',
  ],
  [{ idleTimeout: 0 }, 'pool "docs": idleTimeout is 0; it must be a whole number from 1'],
  [
    { evictionPolicy: "newest" },
    'pool "docs": evictionPolicy is "newest"; it must be one of lru, lfu, fifo, random, size',
  ],
  [{ healthCheck: { timeout: 0.5 } }, 'pool "docs": healthCheck.timeout is 0.5; it must be a whole number from 1'],
])("%j is refused", (config, message) => {
  make();
  expect(() => resolvePool("docs", config as ConnectionPoolConfig)).toThrow(message);
});
