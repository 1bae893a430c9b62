import { afterEach, expect, test } from "@jest/globals";
import type { Backend } from "../../../../runtime/registry/backend.ts";
import type { BalancerOptions } from "../../../../runtime/registry/balancing/balancer.ts";
import { RoundRobin } from "../../../../runtime/registry/balancing/round-robin.ts";
import type { Instance } from "../../../../runtime/registry/instance.ts";
import { FakeConnector, settled } from "../../../support/fake-connector.ts";
import { fakeFleet } from "../../../support/fake-instances.ts";

let running: Instance[] = [];
afterEach(async () => {
  await Promise.all(running.map((instance) => instance.stop()));
  running = [];
});

async function set(options: Partial<BalancerOptions>, ...zones: (string | undefined)[]) {
  const fleet = fakeFleet(new FakeConnector());
  running = zones.map((zone) => fleet.create(zone === undefined ? {} : { zone }));
  await settled();
  const backends = running.map(({ backend }) => backend);
  const balancer = fleet.balancer({ strategy: new RoundRobin(), ...options });
  const names = () => {
    balancer.update(backends);
    return balancer.eligible.map(({ id }) => id);
  };
  return { backends: backends as [Backend, Backend, Backend, Backend], balancer, names, clock: fleet.clock };
}

test("only instances that are ready, healthy and not draining take calls", async () => {
  const { backends, names } = await set({}, undefined, undefined, undefined, undefined);
  const [first, second, third] = backends;
  expect(names()).toEqual(["fake-1", "fake-2", "fake-3", "fake-4"]);
  first.checked("no answer");
  second.eject("slow");
  third.drain(true);
  expect(names()).toEqual(["fake-4"]);
  first.checked(undefined);
  second.eject(undefined);
  third.drain(false);
  expect(names()).toEqual(["fake-1", "fake-2", "fake-3", "fake-4"]);
});

test("when all are unhealthy, all that are ready take calls: better than none", async () => {
  const { backends, names } = await set({}, undefined, undefined);
  for (const backend of backends) backend.checked("no answer");
  expect(names()).toEqual(["fake-1", "fake-2"]);
});

test("near before far, while at least half of the near ones serve", async () => {
  const { backends, names } = await set({ zone: "a" }, "a", "a", "b", "b");
  expect(names()).toEqual(["fake-1", "fake-2"]);
  backends[0].checked("no answer");
  expect(names()).toEqual(["fake-2"]);
  backends[1].checked("no answer");
  expect(names()).toEqual(["fake-3", "fake-4"]);
});

test("a call that has failed somewhere goes elsewhere, if there is an elsewhere", async () => {
  const { backends, balancer, names } = await set({}, undefined, undefined);
  names();
  const [first, second] = backends;
  for (let call = 0; call < 4; call += 1) expect(balancer.pick("anna", new Set([first]))).toBe(second);
  expect(balancer.pick("anna", new Set([first, second]))).toBeDefined();
});

test("slow start: one that has come back takes a tenth of its share at first, and all of it at the end", async () => {
  let random = 0;
  const spread = () => {
    random = (random + 0.01) % 1;
    return random;
  };
  const { backends, balancer, names, clock } = await set({ slowStartMs: 1000, random: spread }, undefined, undefined);
  clock.time = 5000;
  backends[0].checked("no answer");
  backends[0].checked(undefined);
  const share = (): number => {
    names();
    const picked = Array.from({ length: 1000 }, () => balancer.pick("anna"));
    return picked.filter((backend) => backend === backends[0]).length / 1000;
  };
  const shares = [0, 500, 1000].map((ms) => {
    clock.time = 5000 + ms;
    return share();
  });
  expect(shares[0]).toBeLessThan(0.15);
  expect(shares[1]).toBeGreaterThan(shares[0] as number);
  expect(shares[2]).toBe(0.5);
});

test("slow start holds for sessions too, and each of them is one turn of the strategy", async () => {
  const { backends, balancer, names, clock } = await set(
    { slowStartMs: 1000, random: () => 0.5 },
    undefined,
    undefined,
  );
  clock.time = 5000;
  backends[0].checked("no answer");
  backends[0].checked(undefined);
  names();
  expect([balancer.place("anna"), balancer.place("anna")]).toEqual([backends[1], backends[1]]);
  clock.time = 6000;
  names();
  const turns = Array.from({ length: 4 }, () => balancer.place("anna"));
  expect(new Set(turns.slice(0, 2))).toEqual(new Set(backends));
  expect(turns.slice(2)).toEqual(turns.slice(0, 2));
});

test("a session passes over instances without room while another one has some, also one that it avoids", async () => {
  const { backends, balancer, names } = await set({}, undefined, undefined);
  names();
  const [first, second] = backends;
  first.room.told(0, 0);
  expect(Array.from({ length: 3 }, () => balancer.place("anna"))).toEqual([second, second, second]);
  expect(balancer.place("anna", new Set([second]))).toBe(second);
  second.room.told(0, 0);
  expect(balancer.place("anna", new Set([second]))).toBe(first);
  // Calls of what all share need no room.
  expect(new Set(Array.from({ length: 2 }, () => balancer.pick("anna")))).toEqual(new Set(backends));
});

test("a sticky owner stays until its instance is unhealthy, and comes back to it", async () => {
  const { backends, balancer, names } = await set({ stickySession: true }, undefined, undefined, undefined);
  names();
  const home = balancer.pick("anna") as Backend;
  expect(Array.from({ length: 5 }, () => balancer.pick("anna"))).toEqual(Array(5).fill(home));
  home.checked("no answer");
  names();
  expect(balancer.pick("anna")).not.toBe(home);
  home.checked(undefined);
  names();
  expect(balancer.pick("anna")).toBe(home);
  expect(backends).toContain(home);
});
