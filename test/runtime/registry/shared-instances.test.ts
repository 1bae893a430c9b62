import { afterEach, expect, test } from "@jest/globals";
import type { Instance } from "../../../runtime/registry/instance.ts";
import { SharedInstances } from "../../../runtime/registry/shared-instances.ts";
import { FakeConnector, settled } from "../../support/fake-connector.ts";
import { anywhere, fakeFleet } from "../../support/fake-instances.ts";

let open: SharedInstances | undefined;
afterEach(() => open?.close());

function shared(limits: { minInstances?: number; maxInstances?: number } = {}, failures = 0) {
  const connector = new FakeConnector();
  connector.failures = failures;
  const { clock, create, balancer } = fakeFleet(connector, () => open?.refresh());
  const all = { minInstances: 1, maxInstances: 2, targetInFlight: 2, connectMs: 1000, idleMs: 500, ...limits };
  open = new SharedInstances(
    "fake",
    all,
    () => create(),
    balancer(),
    () => clock.time,
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
