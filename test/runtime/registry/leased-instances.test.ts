import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, jest, test } from "@jest/globals";
import type { LeaseClients } from "../../../runtime/registry/instance-source.ts";
import { LeasedInstances } from "../../../runtime/registry/leased-instances.ts";
import { FakeConnector, settled } from "../../support/fake-connector.ts";
import { anywhere, fakeFleet } from "../../support/fake-instances.ts";

let open: LeasedInstances | undefined;
afterEach(() => open?.close());

function leases(
  limits: { minInstances?: number; maxInstances?: number; connectMs?: number; idleMs?: number } = {},
  giveUpParked: LeaseClients["giveUpParked"] = () => false,
) {
  const connector = new FakeConnector();
  const { clock, create } = fakeFleet(connector);
  const all = { minInstances: 0, maxInstances: 2, targetInFlight: 1, connectMs: 1000, idleMs: 500, ...limits };
  const source = new LeasedInstances(
    "fake",
    all,
    () => create(),
    () => clock.time,
    { attached: (_lease, { attached = false }) => attached, giveUpParked },
  );
  open = source;
  return { source, connector, clock };
}

const exhausted =
  "fake: all 2 instances are leased; call again later, end sessions that are not needed, or raise scaling.maxInstances of this server";

test("each owner has an instance to itself, and keeps it", async () => {
  const { source } = leases();
  const [anna, bert] = await Promise.all([source.acquire("anna", anywhere()), source.acquire("bert", anywhere())]);
  expect([anna.id, bert.id]).toEqual(["fake-1", "fake-2"]);
  expect(await source.acquire("anna", anywhere())).toBe(anna);
});

test("two calls of one owner at once get one instance", async () => {
  const { source } = leases();
  const [one, two] = await Promise.all([source.acquire("anna", anywhere()), source.acquire("anna", anywhere())]);
  expect(one).toBe(two);
  expect(source.instances.length).toBe(1);
});

test("a warm instance is handed out first and replaced", async () => {
  const { source } = leases({ minInstances: 1 });
  await settled();
  expect(source.instances.map(({ id, state }) => [id, state])).toEqual([["fake-1", "ready"]]);
  expect((await source.acquire("anna", anywhere())).id).toBe("fake-1");
  expect(source.instances.map(({ id }) => id)).toEqual(["fake-1", "fake-2"]);
});

test("an instance is never handed on: it ends with its owner", async () => {
  const { source, connector } = leases();
  const anna = await source.acquire("anna", anywhere());
  await source.release("anna");
  expect([anna.state, connector.sessions[0]?.closed]).toEqual(["ended", true]);
  expect((await source.acquire("bert", anywhere())).id).toBe("fake-2");
});

test("for lists that all are shown an instance is asked that is nobody's, even if one is somebody's already", async () => {
  const { source } = leases();
  const anna = await source.acquire("anna", anywhere());
  expect(await source.peek()).toBe(anna);
  const blank = await source.blank();
  expect([blank.id, source.ownerOf(blank)]).toEqual(["fake-2", undefined]);
  // It is still as good as new.
  expect(await source.acquire("bert", anywhere())).toBe(blank);
  await expect(source.blank()).rejects.toThrow(exhausted);
});

test("never more than maxInstances: the next owner waits until one is free", async () => {
  const { source } = leases();
  await source.acquire("anna", anywhere());
  await source.acquire("bert", anywhere());
  const carla = source.acquire("carla", anywhere());
  await settled();
  expect([source.waiting, source.instances.length]).toEqual([1, 2]);
  await source.release("anna");
  expect((await carla).id).toBe("fake-3");
  expect([source.waiting, source.instances.length]).toEqual([0, 2]);
});

test("who waits too long, and who finds a long queue, is refused with a retryable error", async () => {
  jest.useFakeTimers();
  const { source } = leases({ connectMs: 50 });
  await source.acquire("a", anywhere());
  await source.acquire("b", anywhere());
  const waiting = Array.from({ length: 8 }, (_, n) => source.acquire(`w${n}`, anywhere()).catch((error) => error));
  await expect(source.acquire("one too many", anywhere())).rejects.toThrow(exhausted);
  jest.advanceTimersByTime(50);
  const errors = await Promise.all(waiting);
  jest.useRealTimers();
  expect(errors.map(({ code, message, kind }) => [code, message, kind.retryable])).toEqual(
    Array.from({ length: 8 }, () => ["POOL_EXHAUSTED", exhausted, true]),
  );
  expect(source.waiting).toBe(0);
});

test("an idle lease ends, one with a call in flight does not", async () => {
  const { source, clock, connector } = leases();
  const idle = await source.acquire("idle", anywhere());
  const busy = await source.acquire("busy", anywhere());
  busy.inFlight = 1;
  await settled();
  clock.time = 501;
  source.tend();
  await settled();
  expect([idle.state, busy.state]).toEqual(["ended", "ready"]);
  expect(connector.sessions.map(({ closed }) => closed)).toEqual([true, false]);
});

test("the owner of an instance that died gets another one on the next call", async () => {
  const { source, connector } = leases();
  await source.acquire("anna", anywhere());
  connector.sessions[0]?.die("signal SIGKILL");
  await settled();
  expect((await source.acquire("anna", anywhere())).id).toBe("fake-2");
  expect(source.instances.map(({ id }) => id)).toEqual(["fake-2"]);
});

test("after close nothing runs, nobody waits, and nobody gets an instance", async () => {
  const { source, connector } = leases();
  await source.acquire("anna", anywhere());
  await source.acquire("bert", anywhere());
  const carla = source.acquire("carla", anywhere()).catch((error) => error);
  await source.close();
  expect((await carla).code).toBe("DRAINING");
  expect(connector.sessions.every(({ closed }) => closed)).toBe(true);
  await expect(source.acquire("dora", anywhere())).rejects.toThrow("fake: the fleet is shutting down");
});

test("many calls of one owner have one place in the queue, so that another owner still gets one; all get its instance", async () => {
  const { source } = leases();
  await Promise.all([source.acquire("anna", anywhere()), source.acquire("bert", anywhere())]);
  const greedy = Promise.allSettled(Array.from({ length: 50 }, () => source.acquire("carl", anywhere())));
  const dora = source.acquire("dora", anywhere()).catch(() => undefined);
  expect(source.waiting).toBe(2);
  await source.release("anna");
  const carls = new Set((await greedy).map((one) => (one.status === "fulfilled" ? one.value : undefined)));
  await source.release("bert");
  expect([carls.size, carls.has(undefined), carls.has(await dora)]).toEqual([1, false, false]);
  expect([source.waiting, source.instances.length]).toEqual([0, 2]);
});

test("of the owners whose clients have gone, the one that used its instance least recently gives way", async () => {
  const { source, clock } = leases();
  const holder = (caller: string, attached: boolean) => ({ caller, attached });
  await source.acquire("anna", anywhere(), holder("a", false));
  clock.time = 10;
  await source.acquire("bert", anywhere(), holder("b", false));
  await settled();
  expect((await source.acquire("carla", anywhere(), holder("c", false))).id).toBe("fake-3");
  expect([source.pick("anna"), source.pick("bert")?.id]).toEqual([undefined, "fake-2"]);
});

test("only as many give way as owners wait", async () => {
  const { source } = leases({ maxInstances: 4 });
  const holder = { caller: "x", attached: false };
  await Promise.all(["a", "b", "c", "d"].map((owner) => source.acquire(owner, anywhere(), holder)));
  await settled();
  await Promise.all([
    source.acquire("e", anywhere(), holder),
    source.acquire("e", anywhere(), holder),
    source.acquire("f", anywhere(), holder),
  ]);
  expect(source.instances.map(({ id }) => id)).toEqual(["fake-3", "fake-4", "fake-5", "fake-6"]);
});

test("a caller with at least two instances more than the one that waits gives up its least recently used idle one", async () => {
  const { source, clock } = leases({ maxInstances: 3, connectMs: 20 });
  const holder = (caller: string) => ({ caller, attached: true });
  const busy = await source.acquire("a1", anywhere(), holder("a"));
  busy.inFlight = 1;
  for (const owner of ["a2", "a3"]) {
    clock.time += 1;
    await source.acquire(owner, anywhere(), holder("a"));
  }
  await settled();
  expect((await source.acquire("b1", anywhere(), holder("b"))).id).toBe("fake-4");
  expect([source.pick("a1")?.id, source.pick("a2")?.id, source.pick("a3")?.id]).toEqual([
    "fake-1",
    undefined,
    "fake-3",
  ]);
  // Two and one: nobody has two more.
  await settled();
  await expect(source.acquire("b2", anywhere(), holder("b"))).rejects.toThrow("all 3 instances are leased");
});

test("a lease does not keep the call that it was made for, with all that it was sent and answered", async () => {
  const { source } = leases();
  const call = new WeakRef({ caller: "anna", answer: new Array(1000).fill("x") });
  await source.acquire("anna", anywhere(), call.deref());
  // A reference that was read lives until the end of its turn.
  await new Promise(setImmediate);
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  expect([call.deref(), source.instances.length]).toEqual([undefined, 1]);
});

test("who waits has a call given up that itself waits for a client that has gone", async () => {
  const gaveUp: unknown[] = [];
  const { source } = leases({}, (backends) => {
    gaveUp.push(...backends);
    return true;
  });
  const [busy, idle] = await Promise.all([
    source.acquire("anna", anywhere(), { caller: "anna", attached: true }),
    source.acquire("bert", anywhere(), { caller: "bert", attached: true }),
  ]);
  busy.inFlight = 1;
  const waiting = source.acquire("carl", anywhere(), { caller: "carl" });
  expect(gaveUp).toEqual([busy.backend]);
  await source.release("anna");
  expect((await waiting).id).toBe("fake-3");
  expect(idle.state).toBe("ready");
});

test("an instance that takes longer to start than it may be idle is there for the call that waits for it", async () => {
  const { source, connector, clock } = leases({ idleMs: 500 });
  const start = Promise.withResolvers<void>();
  connector.starting = start.promise;
  const call = source.acquire("anna", anywhere());
  clock.time = 501;
  source.tend();
  start.resolve();
  expect((await call).state).toBe("ready");
});

test("an instance that was started for a list alone ends when nobody has leased it for as long as it may be idle", async () => {
  const { source, clock } = leases();
  const blank = await source.blank();
  clock.time = 500;
  source.tend();
  expect(blank.state).toBe("ready");
  clock.time = 501;
  source.tend();
  await settled();
  expect([blank.state, source.instances]).toEqual(["ended", []]);
});
