import { afterEach, describe, expect, test } from "@jest/globals";
import pino from "pino";
import { resolveConfig } from "../../../runtime/config/index.ts";
import { Metrics } from "../../../runtime/observability/metrics.ts";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import type { RpcReply } from "../../../runtime/protocol/json-rpc.ts";
import type { BackendSpec } from "../../../runtime/registry/backend.ts";
import { Strategies } from "../../../runtime/registry/balancing/strategies.ts";
import { Fleet, type FleetClient, type FleetOptions } from "../../../runtime/registry/fleet.ts";
import { settled } from "../../support/fake-connector.ts";
import { PlacedHost } from "../../support/placed-host.ts";
import { randomOf } from "../../support/random.ts";

const strategies = ["round-robin", "weighted", "least-connections", "resource-based"] as const;
const isolations = ["shared", "caller", "session"] as const;
const sizes = [2, 3, 5] as const;
const seeds = Array.from({ length: 20 }, (_, seed) => seed);
const metrics = new Metrics(
  () => [],
  () => ({ live: 0, max: 1 }),
);

let open: Fleet | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

interface Terms {
  readonly strategy: (typeof strategies)[number];
  readonly isolation: (typeof isolations)[number];
  readonly hosts: readonly PlacedHost[];
  readonly weights?: readonly number[];
  readonly seed?: number;
  readonly attempts?: number;
}

/** A fleet of these hosts, all of them ready, and its clock. */
async function fleetOf({ strategy, isolation, hosts, weights = [], seed = 0, attempts = 3 }: Terms) {
  await open?.close();
  const { servers } = resolveConfig({
    servers: {
      fake: { type: "custom", endpoints: ["http://fake/mcp"], retry: { attempts }, circuitBreaker: { enabled: false } },
    },
  });
  const specs: BackendSpec[] = hosts.map(({ source }, at) => ({ address: source, weight: weights[at] ?? 1 }));
  const clock = { time: 0 };
  open = new Fleet({
    server: { ...(servers[0] as FleetOptions["server"]), isolation },
    remote: {
      source: "fakes",
      discoveries: [{ name: "fakes", start: (found) => found(specs), close: async () => {} }],
      connect: (address) => hosts.find(({ source }) => source === address) as PlacedHost,
      ask: () => Promise.reject(new Error("the fakes report nothing")),
    },
    metrics,
    log: pino({ level: "silent" }),
    now: () => clock.time,
    random: randomOf(seed),
    strategy: new Strategies().named("fake", strategy),
    fleetNamed: () => undefined,
    onListChanged: () => {},
  });
  while (open.instances.status().some(({ state }) => state !== "ready")) await settled();
  return { fleet: open, clock };
}

const hostsOf = (size: number, places?: number) =>
  Array.from({ length: size }, (_, at) => new PlacedHost(`http://host-${at}/mcp`, places));

/** A client with a session of its own, and with isolation `caller` a caller of its own. */
const clientOf = (number: number): FleetClient => ({ owner: `session-${number}`, caller: `person-${number}` });
const call = (fleet: Fleet, client: FleetClient): Promise<RpcReply> =>
  fleet.call(client, "tools/call", { name: "any" }, new Exchange(60_000));

/** So many sessions, each with one call; with isolation `shared`, so many calls that are in flight at the same time. */
async function taken(terms: Terms, count: number): Promise<number[]> {
  const { fleet } = await fleetOf(terms);
  const shared = terms.isolation === "shared";
  if (shared) for (const host of terms.hosts) host.held = [];
  const calls: Promise<RpcReply>[] = [];
  for (let number = 0; number < count; number += 1) {
    calls.push(call(fleet, clientOf(number)));
    if (shared) await settled();
    else await calls.at(-1);
  }
  for (const { held } of terms.hosts) for (const answer of held ?? []) answer();
  await Promise.all(calls);
  return terms.hosts.map(({ calls }) => calls);
}
const spread = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts);

describe.each(isolations)("isolation %s", (isolation) => {
  // Turns are exact, and so is a look at all instances, which sessions are worth. Two choices by chance are a look at all of
  // two; of more, some get a few more than others (Mitzenmacher 2001: the logarithm of the logarithm of their number).
  test.each(strategies.flatMap((strategy) => sizes.map((size) => [strategy, size] as const)))(
    "%s over %d equal instances: nobody has many more than another",
    async (strategy, size) => {
      const looksAtAll = strategy === "least-connections" && isolation !== "shared";
      const exact = strategy === "round-robin" || strategy === "weighted" || size === 2 || looksAtAll;
      for (const seed of seeds) {
        const counts = await taken({ strategy, isolation, hosts: hostsOf(size), seed }, 6 * size + (seed % size));
        expect(spread(counts)).toBeLessThanOrEqual(exact ? 1 : 4);
      }
    },
  );

  test.each([
    [[9, 1], 10, [9, 1]],
    [[1, 1], 16, [8, 8]],
    [[3, 2, 1], 12, [6, 4, 2]],
    [[1, 2, 3, 4, 10], 20, [1, 2, 3, 4, 10]],
  ])("weights %j of %d are exact", async (weights, count, shares) => {
    expect(await taken({ strategy: "weighted", isolation, hosts: hostsOf(weights.length), weights }, count)).toEqual(
      shares,
    );
  });

  test("least-connections gives instances what their weights say, and one more at most", async () => {
    for (const seed of seeds) {
      const hosts = hostsOf(2);
      const [most = 0, least = 0] = await taken(
        { strategy: "least-connections", isolation, hosts, weights: [3, 1], seed },
        16,
      );
      expect([most + least, Math.abs(most - 12) <= 1]).toEqual([16, true]);
    }
  });
});

test("sessions that end give their places in the balance back", async () => {
  for (const seed of seeds) {
    const hosts = hostsOf(2);
    const { fleet } = await fleetOf({ strategy: "least-connections", isolation: "session", hosts, seed });
    const [first] = hosts as [PlacedHost, PlacedHost];
    const there: FleetClient[] = [];
    for (let number = 0; number < 8; number += 1) {
      const { size } = first.placed;
      await call(fleet, clientOf(number));
      if (first.placed.size > size) there.push(clientOf(number));
    }
    expect(hosts.map(({ placed }) => placed.size)).toEqual([4, 4]);
    // All sessions of one host end: the next ones go there.
    for (const { owner } of there) await fleet.release(owner);
    for (let number = 100; number < 104; number += 1) await call(fleet, clientOf(number));
    expect(hosts.map(({ placed }) => placed.size)).toEqual([4, 4]);
  }
});

test("a session that moves counts where it is, and ejected and draining hosts get none", async () => {
  const hosts = hostsOf(3);
  const { fleet } = await fleetOf({ strategy: "round-robin", isolation: "session", hosts });
  const backends = fleet.instances.source.backends;
  const counts = () => backends.map(({ sessions }) => sessions);
  for (let number = 0; number < 6; number += 1) await call(fleet, clientOf(number));
  expect(counts()).toEqual([2, 2, 2]);
  backends[0]?.eject("it answers badly");
  backends[1]?.drain(true);
  for (let number = 0; number < 8; number += 1) await call(fleet, clientOf(number));
  fleet.instances.source.tend();
  await settled();
  // Sessions at the ejected host have moved; those at the draining one stay until they end.
  expect(counts()).toEqual([0, 2, 6]);
  for (let number = 0; number < 8; number += 1) await fleet.release(clientOf(number).owner);
  expect(counts()).toEqual([0, 0, 0]);
});

describe.each(["caller", "session"] as const)("isolation %s: no session waits while a host has room", (isolation) => {
  test.each(strategies.flatMap((strategy) => sizes.map((size) => [strategy, size] as const)))(
    "%s over %d hosts, of which others take places too",
    async (strategy, size) => {
      for (const seed of seeds.slice(0, 8))
        await churn({ strategy, isolation, hosts: hostsOf(size, 3), seed, attempts: 1 + (seed % 3) });
    },
  );
});

/** Sessions come and go, and others take places and leave them. */
async function churn(terms: Terms): Promise<void> {
  const { hosts, seed = 0 } = terms;
  const { fleet, clock } = await fleetOf(terms);
  const random = randomOf(seed + 1000);
  const upTo = (most: number) => Math.floor(random() * most);
  const here: number[] = [];
  // Others have left since the last look: the fleet can take a host for full for a second more.
  let left = false;
  let waiting: { number: number; done: boolean } | undefined;
  const free = () => hosts.reduce((sum, host) => sum + host.free, 0);
  const pulse = async () => {
    clock.time += 1000;
    fleet.instances.source.tend();
    for (let turn = 0; turn < 20; turn += 1) await settled();
  };
  for (let step = 0; step < 60; step += 1) {
    const host = hosts[upTo(hosts.length)] as PlacedHost;
    const what = upTo(10);
    if (what < 2 && host.free > 0 && waiting === undefined) host.others += 1;
    else if (what < 4 && host.others > 0) {
      host.others -= 1;
      left = true;
    } else if (what < 6 && here.length > 0) {
      const [number = 0] = here.splice(upTo(here.length), 1);
      await fleet.release(terms.isolation === "caller" ? `caller:person-${number}` : `session-${number}`);
    } else if (waiting === undefined) {
      const room = free() > 0 && !left;
      const entry = { number: step, done: false };
      const called = call(fleet, clientOf(step)).then((reply) => {
        expect(reply).toHaveProperty("result");
        entry.done = true;
        here.push(step);
      });
      if (room) await called;
      else {
        waiting = entry;
        called.catch(() => {});
      }
    }
    if (waiting === undefined) continue;
    const room = free() > 0;
    await pulse();
    await pulse();
    left = false;
    if (room) expect(waiting.done).toBe(true);
    if (waiting.done) waiting = undefined;
  }
}
