import { afterEach, expect, test } from "@jest/globals";
import type { BalancerOptions } from "../../../runtime/registry/balancing/balancer.ts";
import { RoundRobin } from "../../../runtime/registry/balancing/round-robin.ts";
import type { Instance } from "../../../runtime/registry/instance.ts";
import { SharedInstances } from "../../../runtime/registry/shared-instances.ts";
import { FakeConnector, settled } from "../../support/fake-connector.ts";
import { anywhere, fakeFleet } from "../../support/fake-instances.ts";

let open: SharedInstances | undefined;
afterEach(() => open?.close());

/** How many processes the ones that run need for what they use. */
interface Need {
  of(pids: readonly number[]): number;
}

interface Limits {
  readonly minInstances?: number;
  readonly maxInstances?: number;
  readonly idleMs?: number;
}

function shared(limits: Limits = {}, failures = 0, options: Partial<BalancerOptions> = {}, need?: Need) {
  const connector = new FakeConnector();
  connector.failures = failures;
  const { clock, create, balancer } = fakeFleet(connector, () => open?.refresh());
  const all = { minInstances: 1, maxInstances: 2, targetInFlight: 2, connectMs: 1000, idleMs: 500, ...limits };
  open = new SharedInstances(
    "fake",
    all,
    () => create(),
    balancer(options),
    () => clock.time,
    need,
  );
  return { source: open, connector, clock };
}

test("the instance with the fewest calls in flight takes the next", async () => {
  const { source } = shared({ minInstances: 2 });
  await settled();
  const [one, two] = source.instances as [Instance, Instance];
  one.backend.inFlight = 1;
  expect(await source.acquire("anna", anywhere())).toBe(two);
  two.backend.inFlight = 2;
  expect(await source.acquire("anna", anywhere())).toBe(one);
});

test("another instance is started when all are at their target, up to maxInstances, and ended when idle", async () => {
  const { source, clock } = shared();
  const first = await source.acquire("anna", anywhere());
  first.backend.inFlight = 2;
  await source.acquire("anna", anywhere());
  await settled();
  expect(source.instances.map(({ id, state }) => [id, state])).toEqual([
    ["fake-1", "ready"],
    ["fake-2", "ready"],
  ]);
  for (const instance of source.instances as Instance[]) instance.backend.inFlight = 2;
  await source.acquire("anna", anywhere());
  expect(source.instances.length).toBe(2);
  for (const instance of source.instances as Instance[]) instance.backend.inFlight = 0;
  clock.time = 501;
  source.tend();
  source.tend();
  expect(source.instances.length).toBe(1);
});

test("another instance is started when those that run use too much, up to maxInstances, and goes when they do not", async () => {
  const need = { wanted: 1, of: () => need.wanted };
  const { source, clock } = shared({ maxInstances: 3 }, 0, {}, need);
  await settled();
  source.tend();
  expect(source.instances.length).toBe(1);
  need.wanted = 9;
  for (const expected of [2, 3, 3]) {
    source.tend();
    await settled();
    expect(source.instances.length).toBe(expected);
  }
  // They are busy, though no call is in flight.
  clock.time += 501;
  source.tend();
  source.tend();
  expect(source.instances.length).toBe(3);
  need.wanted = 1;
  source.tend();
  clock.time += 501;
  source.tend();
  source.tend();
  expect(source.instances.length).toBe(2);
});

test("minInstances 0 starts the first one on demand", async () => {
  const { source } = shared({ minInstances: 0 });
  expect(source.instances).toEqual([]);
  expect((await source.acquire("anna", anywhere())).state).toBe("ready");
});

test("callers learn why none starts, and are served when one does", async () => {
  const { source } = shared({}, 1);
  await expect(source.acquire("anna", anywhere())).rejects.toThrow("the fake did not start");
  expect((await source.acquire("anna", anywhere())).state).toBe("ready");
});

test("a lost instance is started anew at once", async () => {
  const { source, connector } = shared();
  const instance = await source.acquire("anna", anywhere());
  connector.sessions[0]?.die("signal SIGKILL");
  await settled();
  expect(await source.acquire("anna", anywhere())).toBe(instance);
  expect([instance.state, instance.restarts, connector.sessions.length]).toEqual(["ready", 1, 2]);
});

test("an instance that takes longer to start than it may be idle is there for the call that waits for it", async () => {
  const { source, connector, clock } = shared({ minInstances: 0 });
  const start = Promise.withResolvers<void>();
  connector.starting = start.promise;
  const call = source.acquire("anna", anywhere());
  clock.time = 501;
  source.tend();
  start.resolve();
  expect((await call).state).toBe("ready");
});

/** Calls in flight, each on the instance that was chosen for it, and the pulse that follows. */
class Callers {
  readonly #open: Instance[] = [];
  readonly #source: SharedInstances;
  readonly #clock: { time: number };

  constructor({ source, clock }: ReturnType<typeof shared>) {
    this.#source = source;
    this.#clock = clock;
  }

  async begin(count: number): Promise<void> {
    for (let call = 0; call < count; call += 1) {
      const placing = anywhere();
      const instance = this.#source.pick("anna", placing) ?? (await this.#source.acquire("anna", placing));
      expect([instance.state, instance.backend.draining]).toEqual(["ready", false]);
      instance.backend.began(this.#clock.time);
      this.#open.push(instance);
      await settled();
    }
  }

  /** The oldest so many come to an end; none of them has been let down. */
  end(count = this.#open.length): void {
    for (const instance of this.#open.splice(0, count)) {
      expect(instance.state).toBe("ready");
      instance.backend.answered(this.#clock.time, 1, false);
    }
  }

  /** Seconds in which one call follows the other, `perSecond` of them, `atOnce` at a time. */
  async trickle(seconds: number, perSecond: number, atOnce = 1): Promise<string[]> {
    const seen: string[] = [];
    for (let second = 0; second < seconds; second += 1) {
      for (let call = 0; call < perSecond; call += 1) {
        await this.begin(atOnce);
        this.end();
      }
      this.#clock.time += 1000;
      this.#source.tend();
      seen.push(this.#source.instances.map(({ backend }) => (backend.draining ? "-" : "+")).join(""));
    }
    return seen;
  }
}

/** Instances of two calls each, after a peak that needed all of them. Calls are spread as widely as can be. */
async function afterPeak(limits: Limits = {}) {
  const fleet = shared({ maxInstances: 4, idleMs: 3000, ...limits }, 0, { strategy: new RoundRobin() });
  const callers = new Callers(fleet);
  await callers.begin(24);
  expect(fleet.source.instances.length).toBe(limits.maxInstances ?? 4);
  callers.end();
  return { ...fleet, callers };
}

test("after a peak, one caller who goes on calling keeps one instance: the youngest go first, one after the other", async () => {
  const { callers, source } = await afterPeak();
  const [first] = source.instances;
  // The peak itself is in the first second.
  expect(await callers.trickle(9, 5)).toEqual(["++++", "++++", "++++", "++++", "+++-", "++-", "+-", "+", "+"]);
  expect(source.instances).toEqual([first]);
});

test("minInstances are kept, and without any call none of the others", async () => {
  const { callers, source } = await afterPeak({ minInstances: 2 });
  await callers.trickle(9, 1);
  expect(source.instances.length).toBe(2);
  await open?.close();
  const other = await afterPeak({ minInstances: 0 });
  await other.callers.trickle(9, 0);
  expect(other.source.instances).toEqual([]);
});

test("as many are kept as the most calls at once of the last idleMs need, with some to spare", async () => {
  const { callers, source } = await afterPeak();
  // Two instances hold four calls; at three of them, one more does not start another one.
  await callers.trickle(9, 1, 3);
  expect(source.instances.length).toBe(2);
  await callers.trickle(9, 1, 4);
  expect(source.instances.length).toBe(2);
});

test("a load that comes back within idleMs, again and again, neither ends nor starts an instance", async () => {
  const { callers, connector } = await afterPeak();
  for (let round = 0; round < 10; round += 1) {
    await callers.trickle(2, 1);
    await callers.begin(8);
    callers.end();
  }
  expect(connector.sessions.length).toBe(4);
});

test("an instance that is too many ends only when its calls have ended, and comes back before another one is started", async () => {
  const { callers, connector, source } = await afterPeak();
  await callers.begin(4);
  // One call each: the youngest gets no more, and keeps its own.
  expect(await callers.trickle(6, 0)).toEqual(["++++", "++++", "++++", "++++", "+++-", "+++-"]);
  // The other three are filled, and the next call finds no place.
  await callers.begin(4);
  expect(source.instances.map(({ backend }) => [backend.draining, backend.inFlight])).toEqual([
    [false, 2],
    [false, 3],
    [false, 2],
    [false, 1],
  ]);
  callers.end();
  expect(connector.sessions.length).toBe(4);
});

test("an instance that is too many serves when no other one can", async () => {
  const { callers, connector, source } = await afterPeak({ maxInstances: 3 });
  await callers.begin(3);
  await callers.trickle(5, 0);
  expect(source.instances.map(({ backend }) => backend.draining)).toEqual([false, false, true]);
  connector.failures = 10;
  for (const session of connector.sessions.slice(0, 2)) session.die("signal SIGKILL");
  await settled();
  expect(await source.acquire("anna", anywhere())).toBe(source.instances[2]);
});

test("a call that waits for the first instance to start keeps it, however short idleMs is", async () => {
  const { source, clock } = shared({ minInstances: 0, idleMs: 1 });
  const waiting = source.acquire("anna", anywhere());
  clock.time = 5000;
  source.tend();
  source.tend();
  expect((await waiting).state).toBe("ready");
});
