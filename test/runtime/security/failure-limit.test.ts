import { expect, test } from "@jest/globals";
import { FailureLimit } from "../../../runtime/security/failure-limit.ts";
import { SharedFailures } from "../../../runtime/security/limits/shared-failures.ts";
import { FailureChannel } from "../../../runtime/workers/failure-channel.ts";

const outcome = (limit: FailureLimit, network: string) => {
  try {
    limit.check(network);
    return "open";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test("after so many failures a network is held off until its minute ends; another one is not", () => {
  let now = 0;
  const limit = new FailureLimit(2, () => now);
  limit.failed("a");
  expect([outcome(limit, "a"), limit.left("a")]).toEqual(["open", 1]);
  limit.failed("a");
  expect([outcome(limit, "a"), limit.left("a"), outcome(limit, "b")]).toEqual(["RATE_LIMITED", 0, "open"]);
  now = 59_999;
  expect(outcome(limit, "a")).toBe("RATE_LIMITED");
  now = 60_000;
  expect([outcome(limit, "a"), limit.left("a")]).toEqual(["open", 2]);
});

test("failures from a hundred thousand other networks do not let a held-off one back in", () => {
  const limit = new FailureLimit(2, () => 0);
  limit.failed("a");
  limit.failed("a");
  for (let index = 0; index < 100_000; index += 1) limit.failed(`other-${index}`);
  expect(outcome(limit, "a")).toBe("RATE_LIMITED");
  expect(limit.size).toBe(50_001);
  expect(limit.bound).toBe(60_000);
});

test("what one worker refuses counts for the others", () => {
  const channels: FailureChannel[] = [0, 1].map(
    (own) => new FailureChannel((network) => (channels[1 - own] as FailureChannel).hear(network)),
  );
  const [first, second] = channels.map((channel) => new FailureLimit(3, () => 0, channel)) as [
    FailureLimit,
    FailureLimit,
  ];
  first.failed("a");
  second.failed("a");
  expect([first.left("a"), second.left("a")]).toEqual([1, 1]);
  first.failed("a");
  expect([outcome(first, "a"), outcome(second, "a")]).toEqual(["RATE_LIMITED", "RATE_LIMITED"]);
});

test.each([
  ["counts for all", 7, "RATE_LIMITED"],
  ["answers nonsense", "7", "open"],
  ["fails", new Error("away"), "open"],
])("a Redis that %s", async (_what, answer, expected) => {
  const sent: (readonly string[])[] = [];
  const send = async (words: readonly string[]) => {
    sent.push(words);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const limit = new FailureLimit(5, () => 0, new SharedFailures({ ready: true, send }, "p", undefined));
  limit.failed("192.0.2.1");
  await new Promise(setImmediate);
  expect(outcome(limit, "192.0.2.1")).toBe(expected);
  expect(sent.map((words) => [words[0], ...words.slice(2)])).toEqual([
    ["EVAL", "1", "p:{failures}:192.0.2.1", "60000"],
  ]);
});
