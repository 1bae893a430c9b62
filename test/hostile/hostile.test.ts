import { expect, test } from "@jest/globals";
import { hostile } from "./hostile.ts";

test("hostile servers: no caller reads another one's words, every call ends, nothing grows and nothing is left", async () => {
  const { messages, wrong, outcomes, health, left } = await hostile({
    messages: 4000,
    seed: 20_261_128,
    log: () => {},
  });
  expect(wrong).toEqual([]);
  expect(left).toEqual({ calls: 0, resources: [], processes: 0, sockets: [] });
  expect(messages).toBeGreaterThanOrEqual(4000);
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(["result", "REQUEST_TIMEOUT", "UPSTREAM_PROTOCOL"]));
  // The long run asks for none; here other tests use the machine too.
  expect(health.failures).toBe(0);
  expect(health.misses).toBeLessThan(health.probes / 20);
}, 300_000);
