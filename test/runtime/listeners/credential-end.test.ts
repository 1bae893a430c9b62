import { expect, jest, test } from "@jest/globals";
import { onCredentialEnd } from "../../../runtime/listeners/credential-end.ts";
import type { McpTarget } from "../../../runtime/listeners/target.ts";

const day = 24 * 60 * 60_000;

/** A connection whose end is noted, under a clock that the test moves. */
function connection(target: Partial<McpTarget>) {
  jest.useFakeTimers();
  let ends = 0;
  const forget = onCredentialEnd(target as McpTarget, () => {
    ends += 1;
  });
  return {
    forget,
    async after(ms: number) {
      await jest.advanceTimersByTimeAsync(ms);
      return ends;
    },
    timers: () => jest.getTimerCount(),
  };
}

test("a connection ends with its credential, also when that is further away than a timer can be set", async () => {
  jest.useFakeTimers();
  const it = connection({ expiresAt: Date.now() + 60 * day });
  expect(await it.after(59 * day)).toBe(0);
  expect(await it.after(day)).toBe(1);
  expect(it.timers()).toBe(0);
});

test("a credential without an end sets no timer, and a connection that has closed leaves none", async () => {
  expect(connection({}).timers()).toBe(0);
  const it = connection({ expiresAt: Date.now() + day, recheckMs: 1000 });
  expect(it.timers()).toBe(1);
  it.forget();
  expect([it.timers(), await it.after(2 * day)]).toEqual([0, 0]);
});

test("a credential that can be revoked is asked about again and again, and the first refusal ends the connection", async () => {
  const answers = [true, true, false];
  const it = connection({ recheckMs: 1000, stillAdmitted: async () => answers.shift() as boolean });
  expect(await it.after(2999)).toBe(0);
  expect(answers).toEqual([false]);
  expect(await it.after(1)).toBe(1);
  expect([it.timers(), answers]).toEqual([0, []]);
});

test("a look at a credential that could not be made is made again, until it is known", async () => {
  const answers = [undefined, undefined, false];
  let look = () => {};
  const it = connection({
    onApplied: (asked) => {
      look = asked;
      return () => {};
    },
    stillAdmitted: async () => answers.shift(),
  });
  look();
  expect(await it.after(1999)).toBe(0);
  expect(await it.after(1)).toBe(1);
  expect(answers).toEqual([]);
});
