import { expect, test } from "@jest/globals";
import { FleetError } from "../../../runtime/errors.ts";
import { FailureLimit } from "../../../runtime/security/failure-limit.ts";
import { WaitingRoom, type WaitingRoomOptions } from "../../../runtime/security/waiting-room.ts";

/** A room whose checks end when the test says so. */
function room(options: Partial<WaitingRoomOptions> = {}) {
  const bounds = { what: "passwords", atOnce: 2, atOnceEach: 1, waiting: 8, waitingEach: 2, failures: undefined };
  const it = new WaitingRoom({ ...bounds, ...options });
  const begun: string[] = [];
  const outcomes: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const settled = () => new Promise(setImmediate);
  return {
    it,
    begun,
    outcomes,
    settled,
    async come(name: string) {
      const end = Promise.withResolvers<void>();
      ends.set(name, end);
      const check = () => {
        begun.push(name);
        return end.promise;
      };
      void it.run(name.slice(0, 1), check).then(
        () => outcomes.push(`${name} ok`),
        (error: FleetError) => outcomes.push(`${name} ${error.code}`),
      );
      await settled();
    },
    async end(name: string, wrong = false) {
      if (wrong) ends.get(name)?.reject(new FleetError("TOKEN_REFUSED", "wrong"));
      else ends.get(name)?.resolve();
      await settled();
    },
  };
}

test("a hundred from one address delay nobody else: one runs, some wait, the rest come back later", async () => {
  const { come, end, begun, outcomes, it } = room();
  for (let index = 0; index < 100; index += 1) await come(`a${index}`);
  await come("b0");
  await come("c0");
  expect([begun, it.waiting]).toEqual([["a0", "b0"], 3]);
  expect(outcomes).toEqual(Array.from({ length: 97 }, (_, index) => `a${index + 3} AUTH_BUSY`));
  await end("a0");
  // The one that has not had its turn, before the second one of the flood.
  expect(begun).toEqual(["a0", "b0", "a1"]);
  await end("b0");
  expect(begun).toEqual(["a0", "b0", "a1", "c0"]);
  for (const name of ["a1", "c0", "a2"]) await end(name);
  expect([begun.at(-1), it.waiting]).toEqual(["a2", 0]);
});

test("networks take turns, whatever the order in which they came", async () => {
  const { come, end, begun } = room({ atOnce: 1, waitingEach: 3 });
  for (const name of ["a0", "a1", "a2", "b0", "b1", "c0"]) await come(name);
  for (const name of ["a0", "a1", "b0", "c0", "a2"]) await end(name);
  expect(begun).toEqual(["a0", "a1", "b0", "c0", "a2", "b1"]);
});

test("in a full room the last one of the longest line gives way to another network", async () => {
  const { come, outcomes, it } = room({ atOnce: 1, waiting: 3, waitingEach: 3 });
  for (const name of ["a0", "a1", "a2", "a3", "b0", "c0", "d0"]) await come(name);
  expect(outcomes).toEqual(["a3 AUTH_BUSY", "a2 AUTH_BUSY", "d0 AUTH_BUSY"]);
  expect([it.waiting, it.bound]).toEqual([3, 3]);
});

test("many wrong ones at once are no more tries than a limit of failures allows; right ones give their try back", async () => {
  const failures = new FailureLimit(3, () => 0);
  const { come, end, begun, outcomes } = room({ atOnce: 8, atOnceEach: 8, waitingEach: 8, failures });
  for (let index = 0; index < 6; index += 1) await come(`a${index}`);
  expect(begun).toEqual(["a0", "a1", "a2"]);
  await end("a0");
  expect(begun).toEqual(["a0", "a1", "a2", "a3"]);
  for (const name of ["a1", "a2", "a3"]) await end(name, true);
  expect(begun).toHaveLength(4);
  expect(outcomes).toEqual([
    ...["a0 ok", "a1 TOKEN_REFUSED", "a2 TOKEN_REFUSED", "a3 TOKEN_REFUSED", "a4 RATE_LIMITED", "a5 RATE_LIMITED"],
  ]);
});
