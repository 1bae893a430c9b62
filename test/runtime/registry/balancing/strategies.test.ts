import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { LeastConnections } from "../../../../runtime/registry/balancing/least-connections.ts";
import { ResourceBased } from "../../../../runtime/registry/balancing/resource-based.ts";
import { RoundRobin } from "../../../../runtime/registry/balancing/round-robin.ts";
import { stickyPick } from "../../../../runtime/registry/balancing/sticky.ts";
import { Strategies } from "../../../../runtime/registry/balancing/strategies.ts";
import type { Candidate, HostLoad, LoadBalancingStrategy } from "../../../../runtime/registry/balancing/strategy.ts";
import { Weighted } from "../../../../runtime/registry/balancing/weighted.ts";
import { randomOf } from "../../../support/random.ts";

interface Fake extends Candidate {
  inFlight: number;
  sessions: number;
  load: HostLoad | undefined;
}

const fake = (id: number, weight = 1, load?: HostLoad): Fake => ({
  ...{ id: `i${id}`, address: `http://i${id}/mcp`, zone: undefined, weight, inFlight: 0, sessions: 0, load },
  latencyMs: undefined,
});
const fakes = (count: number) => Array.from({ length: count }, (_, id) => fake(id));
const several = fc.integer({ min: 2, max: 12 });
const seeds = fc.integer();

/** How often each was taken; `hold` calls are in flight at a time. */
function counts(strategy: LoadBalancingStrategy, candidates: readonly Fake[], calls: number, hold = 1): number[] {
  const taken = new Map<Fake, number>(candidates.map((candidate) => [candidate, 0]));
  const open: Fake[] = [];
  for (let call = 0; call < calls; call += 1) {
    const picked = strategy.pick(candidates, "anna");
    picked.inFlight += 1;
    open.push(picked);
    if (open.length >= hold) (open.shift() as Fake).inFlight -= 1;
    taken.set(picked, (taken.get(picked) ?? 0) + 1);
  }
  return [...taken.values()];
}

test("round-robin: after any number of calls no instance has had two more than another", () => {
  fc.assert(
    fc.property(several, fc.nat(500), (count, calls) => {
      const taken = counts(new RoundRobin(), fakes(count), calls);
      expect(Math.max(...taken) - Math.min(...taken)).toBeLessThanOrEqual(1);
    }),
  );
});

test("round-robin goes on evenly among those that stay when one goes", () => {
  fc.assert(
    fc.property(several, fc.nat(50), fc.nat(11), (count, before, gone) => {
      const strategy = new RoundRobin();
      const all = fakes(count + 1);
      counts(strategy, all, before);
      const stay = all.filter((_, index) => index !== gone % all.length);
      const taken = counts(strategy, stay, 10 * stay.length);
      expect(taken).toEqual(stay.map(() => 10));
    }),
  );
});

test("weighted: in each round of as many calls as the weights' sum every instance has exactly its weight", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 8 }), (weights) => {
      const strategy = new Weighted();
      const candidates = weights.map((weight, id) => fake(id, weight));
      const sum = weights.reduce((total, weight) => total + weight, 0);
      for (let round = 0; round < 3; round += 1) expect(counts(strategy, candidates, sum)).toEqual(weights);
    }),
  );
});

test("weighted is smooth: the heaviest of 5, 1, 1 is never taken three times in a row", () => {
  const candidates = [fake(0, 5), fake(1, 1), fake(2, 1)];
  const strategy = new Weighted();
  const order = Array.from({ length: 7 }, () => strategy.pick(candidates).id);
  expect(order).toEqual(["i0", "i0", "i1", "i0", "i2", "i0", "i0"]);
});

test("least-connections: with long calls none has more than a few in flight above the average", () => {
  fc.assert(
    fc.property(several, seeds, (count, seed) => {
      const candidates = fakes(count);
      counts(new LeastConnections(randomOf(seed)), candidates, 40 * count, 10 * count + 1);
      // The power of two choices: the gap is O(log log n), where one choice would give several dozens.
      expect(Math.max(...candidates.map(({ inFlight }) => inFlight))).toBeLessThanOrEqual(10 + 6);
    }),
    { numRuns: 50 },
  );
});

test("least-connections: of two the one with fewer calls, and for twice the weight twice the calls", () => {
  const [one, other] = [fake(0), fake(1, 2)];
  const strategy = new LeastConnections(Math.random);
  other.inFlight = 4;
  expect(strategy.pick([one, other])).toBe(one);
  one.inFlight = 2;
  expect(strategy.pick([one, other])).toBe(other);
});

test("resource-based: of two the less busy one by its worse figure, whatever their order", () => {
  const share = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000);
  fc.assert(
    fc.property(share, share, share, share, seeds, (cpu, memory, cpu2, memory2, seed) => {
      const candidates = [fake(0, 1, { cpu, memory }), fake(1, 1, { cpu: cpu2, memory: memory2 })];
      const [a, b] = [Math.max(cpu, memory), Math.max(cpu2, memory2)];
      fc.pre(a !== b);
      expect(new ResourceBased(randomOf(seed)).pick(candidates).id).toBe(a < b ? "i0" : "i1");
    }),
  );
});

test("resource-based: the busiest of many is taken least, and one without a report is neither flooded nor starved", () => {
  const candidates = [fake(0, 1, { cpu: 0.95, memory: 0.2 }), fake(1, 1, { cpu: 0.1, memory: 0.1 }), fake(2)];
  const [busy, free, unknown] = counts(new ResourceBased(randomOf(7)), candidates, 3000) as [number, number, number];
  expect(busy).toBe(0);
  expect(free).toBeGreaterThan(unknown);
  expect(unknown).toBeGreaterThan(600);
});

test("every strategy takes one of the candidates, and each candidate at some time", () => {
  fc.assert(
    fc.property(several, seeds, (count, seed) => {
      const strategies = new Strategies();
      for (const name of strategies.names) {
        const strategy = strategies.named("any", name)(randomOf(seed));
        const taken = counts(strategy, fakes(count), 100 * count, count);
        expect([name, taken.every((times) => times > 0)]).toEqual([name, true]);
      }
    }),
    { numRuns: 30 },
  );
});

const owners = Array.from({ length: 400 }, (_, owner) => `owner-${owner}`);

test("sticky: the same owner has the same instance, and when one goes only its own owners move", () => {
  fc.assert(
    fc.property(several, fc.nat(11), (count, which) => {
      const all = fakes(count);
      const gone = all[which % count] as Fake;
      const stay = all.filter((candidate) => candidate !== gone);
      for (const owner of owners) {
        const before = stickyPick(all, owner);
        expect(stickyPick(all.toReversed(), owner)).toBe(before);
        if (before !== gone) expect(stickyPick(stay, owner)).toBe(before);
      }
    }),
    { numRuns: 20 },
  );
});

test("sticky spreads owners: of four instances none has less than half or more than twice its share", () => {
  const all = fakes(4);
  const taken = new Map(all.map(({ id }) => [id, 0]));
  for (const owner of owners) taken.set(stickyPick(all, owner).id, (taken.get(stickyPick(all, owner).id) ?? 0) + 1);
  for (const times of taken.values()) expect([times > 50, times < 200]).toEqual([true, true]);
});

test("a registered strategy is found by its name; unknown and doubled names are refused", () => {
  const strategies = new Strategies();
  strategies.registerLoadBalancer("first", () => ({ pick: ([first]) => first as never }));
  const candidates = fakes(3);
  expect(strategies.named("any", "custom:first")(Math.random).pick(candidates, "")).toBe(candidates[0]);
  expect(() => strategies.registerLoadBalancer("first", () => new RoundRobin())).toThrow(
    'a load balancing strategy "first" is there already; choose another name',
  );
  expect(() => strategies.named("echo", "custom:last")).toThrow(
    'servers.echo.loadBalancer.strategy: is "custom:last"; give one of round-robin, least-connections, weighted, resource-based, custom:first, or register it before the gateway starts',
  );
});
