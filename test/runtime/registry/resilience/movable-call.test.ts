import { afterEach, expect, test } from "@jest/globals";
import { FleetError } from "../../../../runtime/errors.ts";
import { Exchange } from "../../../../runtime/protocol/exchange.ts";
import { ProgressDeadline } from "../../../../runtime/protocol/progress-deadline.ts";
import type { Backend } from "../../../../runtime/registry/backend.ts";
import type { Instance } from "../../../../runtime/registry/instance.ts";
import { MovableCall } from "../../../../runtime/registry/resilience/movable-call.ts";
import { RetryBudget } from "../../../../runtime/registry/resilience/retry-budget.ts";
import { SharedInstances } from "../../../../runtime/registry/shared-instances.ts";
import { FakeConnector, type FakeSession, settled } from "../../../support/fake-connector.ts";
import { fakeFleet } from "../../../support/fake-instances.ts";

let source: SharedInstances | undefined;
afterEach(() => source?.close());

async function callOn(attempts = 3) {
  const connector = new FakeConnector();
  const fleet = fakeFleet(connector, () => source?.refresh());
  const limits = { minInstances: 3, maxInstances: 3, targetInFlight: 1, connectMs: 1000, idleMs: 1e9 };
  const shared = new SharedInstances(
    "fake",
    limits,
    () => fleet.create(),
    fleet.balancer(),
    () => 0,
  );
  source = shared;
  await settled();
  shared.refresh();
  let moves = 0;
  const exchange = new Exchange(1000);
  const call = new MovableCall(
    {
      ...{ source: shared, leaseOf: ({ owner }) => owner, budget: new RetryBudget(100, () => 0), attempts },
      ...{ now: () => 0, onMoved: () => (moves += 1), onAnswered: () => {} },
    },
    { owner: "anna", caller: undefined },
    "tools/list",
    undefined,
    exchange,
  );
  const instance = shared.instances[0] as Instance;
  const reply = call.send(instance);
  const callsOf = (session: number) => (connector.sessions[session] as FakeSession).calls;
  const busy = () => connector.sessions.flatMap(({ calls }, index) => (calls.length > 0 ? [index] : []));
  const move = (backend: Backend) => [...backend.movable].map((attempt) => attempt.move());
  return {
    exchange,
    reply,
    callsOf,
    busy,
    move,
    backend: instance.backend,
    moves: () => moves,
    backends: shared.backends,
  };
}

test("the first answer counts, also that of the instance that was found to be silent", async () => {
  const { reply, callsOf, busy, move, backend, moves } = await callOn();
  expect(move(backend)).toEqual([true]);
  await settled();
  expect([busy().length, moves()]).toEqual([2, 1]);
  callsOf(0)[0]?.resolve({ result: "late, but here" });
  expect(await reply).toEqual({ result: "late, but here" });
});

test("an attempt moves once, never to where the call has been, and as often as attempts are allowed", async () => {
  const { reply, callsOf, busy, move, backend, backends } = await callOn();
  expect([move(backend), move(backend)]).toEqual([[true], [false]]);
  await settled();
  const second = backends[busy()[1] as number] as Backend;
  expect(move(second)).toEqual([true]);
  await settled();
  expect(busy()).toEqual([0, 1, 2]);
  callsOf(2)[0]?.resolve({ result: "third" });
  callsOf(1)[0]?.resolve({ result: "second" });
  expect(["second", "third"]).toContain(((await reply) as { result: string }).result);
  const only = await callOn(1);
  expect(only.move(only.backend)).toEqual([false]);
  only.callsOf(0)[0]?.resolve({ result: "done" });
  await only.reply;
});

test("the call fails when its last attempt has failed", async () => {
  const { reply, callsOf, busy, move, backend } = await callOn();
  move(backend);
  await settled();
  callsOf(0)[0]?.reject(new FleetError("INSTANCE_LOST", "first"));
  await settled();
  callsOf(busy()[1] as number)[0]?.reject(new FleetError("REQUEST_TIMEOUT", "second"));
  await expect(reply).rejects.toThrow("second");
});

test("a call that progress has extended has its time left on another instance, too", async () => {
  const { exchange, reply, callsOf, move, backend } = await callOn();
  exchange.deadline = -1;
  exchange.progress = new ProgressDeadline({ requestMs: 500, maxRequestMs: 1000 }, 0, () => 0);
  expect(move(backend)).toEqual([true]);
  await settled();
  expect(exchange.remainingMs).toBe(500);
  callsOf(0)[0]?.resolve({ result: "done" });
  await reply;
});
