import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { type ErrorCode, FleetError } from "../../../../runtime/errors.ts";
import { Exchange } from "../../../../runtime/protocol/exchange.ts";
import { HostRefusal } from "../../../../runtime/registry/resilience/failures.ts";
import { Repeatable } from "../../../../runtime/registry/resilience/repeatable.ts";
import { type RetryOptions, retry } from "../../../../runtime/registry/resilience/retry.ts";
import { RetryBudget } from "../../../../runtime/registry/resilience/retry-budget.ts";

const client = { owner: "anna", caller: undefined };
const annotations: Record<string, object> = {
  read: { readOnlyHint: true },
  put: { idempotentHint: true },
  write: { readOnlyHint: false },
};
const repeatable = new Repeatable(["named"], (name) => {
  const hints = annotations[name];
  return hints === undefined ? undefined : { name, annotations: hints };
});

const base: RetryOptions = {
  ...{ attempts: 3, backoffMs: 100, budget: new RetryBudget(100, () => 0), repeatable, several: () => false },
  ...{
    replaceable: undefined,
    waitMs: 1000,
    now: () => 0,
    random: () => 0.5,
    onRetry: () => {},
    sleep: async () => {},
  },
};

/** Fails with these errors in turn, then answers; each attempt goes to a place of its own. */
function set(errors: readonly FleetError[], more: Partial<RetryOptions> = {}) {
  const attempts: { avoided: number }[] = [];
  const pauses: number[] = [];
  const budget = new RetryBudget(100, () => 0);
  const options: RetryOptions = { ...base, budget, sleep: async (ms) => void pauses.push(ms), ...more };
  const call = retry(options, async (_client, _method, _params, exchange) => {
    exchange.begun = true;
    exchange.place = { attempt: attempts.length };
    attempts.push({ avoided: exchange.avoid?.size ?? 0 });
    const error = errors[attempts.length - 1];
    if (error !== undefined) throw error;
    return { result: "done" };
  });
  const send = (method: string, name?: string, exchange = new Exchange(1000)) =>
    call(client, method, name === undefined ? undefined : { name }, exchange);
  return { attempts, pauses, send };
}
const failure = (code: ErrorCode, data?: Record<string, unknown>) => new FleetError(code, code, data && { data });
const again = (code: ErrorCode) => [failure(code), failure(code)];

test.each([
  ["tools/call", "read"],
  ["tools/call", "put"],
  ["tools/call", "named"],
  ["tools/list", undefined],
  ["resources/read", undefined],
])("%s %s is repeated when its instance was lost, elsewhere and after a growing pause", async (method, name) => {
  const { attempts, pauses, send } = set(again("INSTANCE_LOST"));
  expect(await send(method, name)).toEqual({ result: "done" });
  expect(attempts).toEqual([{ avoided: 0 }, { avoided: 1 }, { avoided: 2 }]);
  expect(pauses).toEqual([100]);
});

test.each(["write", "unknown"])("tools/call of %s is not repeated: it may have had an effect", async (name) => {
  const { attempts, send } = set(again("INSTANCE_LOST"));
  await expect(send("tools/call", name)).rejects.toMatchObject({ code: "INSTANCE_LOST" });
  expect(attempts).toHaveLength(1);
});

test.each(["UPSTREAM_UNREACHABLE", "UPSTREAM_SESSION_EXPIRED"] as const)(
  "any call is repeated after %s: the server has not begun it",
  async (code) => {
    const { attempts, send } = set(again(code));
    expect(await send("tools/call", "write")).toEqual({ result: "done" });
    expect(attempts).toHaveLength(3);
  },
);

test.each([
  ["REQUEST_TIMEOUT", undefined],
  ["CANCELLED", undefined],
  ["UPSTREAM_PROTOCOL", { status: 500 }],
] as const)("not even a call that reads is repeated after %s %j", async (code, data) => {
  const { attempts, send } = set([failure(code, data)]);
  await expect(send("tools/call", "read")).rejects.toMatchObject({ code });
  expect(attempts).toHaveLength(1);
});

test("a call that reads is repeated when something in front of the server answered 503", async () => {
  const { send } = set([failure("UPSTREAM_PROTOCOL", { status: 503 })]);
  expect(await send("tools/call", "read")).toEqual({ result: "done" });
});

test("attempts is the whole number, and a cancelled call is not sent again", async () => {
  const { attempts, send } = set([...again("INSTANCE_LOST"), failure("INSTANCE_LOST")]);
  await expect(send("tools/call", "read")).rejects.toMatchObject({ code: "INSTANCE_LOST" });
  expect(attempts).toHaveLength(3);
  const exchange = new Exchange(1000);
  exchange.cancel("changed its mind");
  const cancelled = set(again("INSTANCE_LOST"));
  await expect(cancelled.send("tools/call", "read", exchange)).rejects.toThrow();
  expect(cancelled.attempts).toHaveLength(1);
});

test("without budget nothing that was sent is repeated, but what no server has begun is", async () => {
  const budget = new RetryBudget(0, () => 0);
  for (let spent = 0; spent < 10; spent += 1) budget.take();
  const lost = set(again("INSTANCE_LOST"), { budget });
  await expect(lost.send("tools/call", "read")).rejects.toThrow();
  expect(lost.attempts).toHaveLength(1);
  expect(await set(again("UPSTREAM_SESSION_EXPIRED"), { budget }).send("tools/call", "write")).toEqual({
    result: "done",
  });
});

test("budget: in any ten seconds not more than ten and a share of the calls are repeated, however they come", () => {
  const steps = fc.array(fc.record({ ms: fc.nat(1500), calls: fc.nat(20), wanted: fc.nat(20) }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 100 }), (given, percent) => {
      let time = 0;
      const budget = new RetryBudget(percent, () => time);
      const log: { at: number; calls: number; retries: number }[] = [];
      for (const { ms, calls, wanted } of given) {
        time += ms;
        for (let call = 0; call < calls; call += 1) budget.called();
        let retries = 0;
        for (let retried = 0; retried < wanted; retried += 1) retries += Number(budget.take());
        log.push({ at: Math.floor(time / 1000), calls, retries });
        const recent = log.filter(({ at }) => at > Math.floor(time / 1000) - 10);
        const sum = (key: "calls" | "retries") => recent.reduce((total, entry) => total + entry[key], 0);
        // A retry was weighed against the calls of its own time, some of which have left the window since.
        const ever = log.reduce((most, _, index) => {
          const window = log.slice(0, index + 1).filter(({ at }) => at > (log[index] as { at: number }).at - 10);
          return Math.max(
            most,
            window.reduce((total, entry) => total + entry.calls, 0),
          );
        }, 0);
        expect(sum("retries")).toBeLessThanOrEqual(Math.ceil(10 + (ever * percent) / 100));
      }
    }),
    { numRuns: 60 },
  );
});

const full = (leased: boolean) => new HostRefusal("POOL_EXHAUSTED", { code: "POOL_EXHAUSTED" }, leased);

test("what a full host refuses is sent elsewhere at once, however few attempts there are and whatever the call does", async () => {
  const refusals = Array.from({ length: 5 }, () => full(true));
  const { attempts, pauses, send } = set(refusals, { attempts: 1, replaceable: () => true });
  expect(await send("tools/call", "write")).toEqual({ result: "done" });
  expect([attempts.length, pauses]).toEqual([6, []]);
});

test("a call that hosts refuse for longer than it may wait fails, and so does one with nowhere else to go", async () => {
  let time = 0;
  const now = () => time;
  const late = set(
    Array.from({ length: 9 }, () => full(true)),
    {
      ...{ now, waitMs: 300, replaceable: () => true, several: () => true },
      onRetry: () => expect("not").toBe("called"),
    },
  );
  const exchange = new Exchange(1000);
  exchange.deadline = 1000;
  const sent = late.send("tools/call", "write", exchange);
  time = 300;
  await expect(sent).rejects.toThrow("POOL_EXHAUSTED");
  const alone = set([full(true)], { replaceable: () => false });
  await expect(alone.send("tools/call", "read")).rejects.toThrow("POOL_EXHAUSTED");
  expect([late.attempts.length, alone.attempts.length]).toEqual([1, 1]);
});

test("a shared session that a host refuses is tried at another instance, if there is one", async () => {
  const several = set([full(false)], { several: () => true });
  expect(await several.send("tools/call", "write")).toEqual({ result: "done" });
  expect(several.attempts.map(({ avoided }) => avoided)).toEqual([0, 1]);
  await expect(set([full(false)]).send("tools/call", "write")).rejects.toThrow("POOL_EXHAUSTED");
});

test("who has waited for an instance here, and found none, does not wait again", async () => {
  let attempts = 0;
  const call = retry({ ...base, several: () => true }, async () => {
    attempts += 1;
    throw failure("POOL_EXHAUSTED");
  });
  await expect(call(client, "tools/call", { name: "read" }, new Exchange(1000))).rejects.toThrow("POOL_EXHAUSTED");
  expect(attempts).toBe(1);
});
