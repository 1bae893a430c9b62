import { afterEach, expect, test } from "@jest/globals";
import pino from "pino";
import { Instance } from "../../../runtime/registry/instance.ts";
import { SharedInstances } from "../../../runtime/registry/shared-instances.ts";
import { FakeConnector, settled } from "../../support/fake-connector.ts";

const log = pino({ level: "silent" });
let open: SharedInstances | undefined;
afterEach(() => open?.close());

function shared(limits: { minInstances?: number; maxInstances?: number } = {}, failures = 0) {
  const connector = new FakeConnector();
  connector.failures = failures;
  const clock = { time: 0 };
  let count = 0;
  const create = () => {
    count += 1;
    const events = { onNotification: () => {} };
    return new Instance({ id: `fake-${count}`, connector, events, log, now: () => clock.time, onChange: () => {} });
  };
  const all = { minInstances: 1, maxInstances: 2, targetInFlight: 2, connectMs: 1000, idleMs: 500, ...limits };
  open = new SharedInstances(all, create, () => clock.time);
  return { source: open, connector, clock };
}

test("the instance with the fewest calls in flight takes the next", async () => {
  const { source } = shared({ minInstances: 2 });
  await settled();
  const [one, two] = source.instances as [Instance, Instance];
  one.inFlight = 1;
  expect(await source.acquire()).toBe(two);
  two.inFlight = 2;
  expect(await source.acquire()).toBe(one);
});

test("another instance is started when all are at their target, up to maxInstances, and ended when idle", async () => {
  const { source, clock } = shared();
  const first = await source.acquire();
  first.inFlight = 2;
  await source.acquire();
  await settled();
  expect(source.instances.map(({ id, state }) => [id, state])).toEqual([
    ["fake-1", "ready"],
    ["fake-2", "ready"],
  ]);
  for (const instance of source.instances as Instance[]) instance.inFlight = 2;
  await source.acquire();
  expect(source.instances.length).toBe(2);
  for (const instance of source.instances as Instance[]) instance.inFlight = 0;
  clock.time = 501;
  source.tend();
  source.tend();
  expect(source.instances.length).toBe(1);
});

test("minInstances 0 starts the first one on demand", async () => {
  const { source } = shared({ minInstances: 0 });
  expect(source.instances).toEqual([]);
  expect((await source.acquire()).state).toBe("ready");
});

test("callers learn why none starts, and are served when one does", async () => {
  const { source } = shared({}, 1);
  await expect(source.acquire()).rejects.toThrow("the fake did not start");
  expect((await source.acquire()).state).toBe("ready");
});

test("a lost instance is started anew at once", async () => {
  const { source, connector } = shared();
  const instance = await source.acquire();
  connector.sessions[0]?.die("signal SIGKILL");
  await settled();
  expect(await source.acquire()).toBe(instance);
  expect([instance.state, instance.restarts, connector.sessions.length]).toEqual(["ready", 1, 2]);
});
