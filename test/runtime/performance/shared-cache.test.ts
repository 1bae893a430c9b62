import { expect, test } from "@jest/globals";
import { EntrySeal } from "../../../runtime/performance/entry-seal.ts";
import { evictionPolicy } from "../../../runtime/performance/redis.ts";
import { SharedSpace, type SharedSpaceOptions } from "../../../runtime/performance/shared-cache.ts";

const keyed = (id: string) => ({ id, key: Buffer.alloc(32, id) });
/** A Redis of which a test sees and changes every value. */
function redis() {
  const values = new Map<string, string>();
  const send = async ([command, key = "", ...rest]: readonly string[]) => {
    if (command === "MGET") return [key, ...rest].map((one) => values.get(one) ?? null);
    if (command === "SET") values.set(key, rest[0] as string);
    if (command === "UNLINK") values.delete(key);
    return "OK";
  };
  return { values, ready: true, send };
}
function space(options: Partial<SharedSpaceOptions> = {}) {
  const seen = { forged: 0, failures: 0 };
  const store = redis();
  const make = (more: Partial<SharedSpaceOptions> = {}) =>
    new SharedSpace({
      redis: store,
      prefix: "p",
      clock: () => 0,
      seal: new EntrySeal([keyed("a")]),
      maxAnswerBytes: 1000,
      maxBytes: 100_000,
      onFailure: () => {
        seen.failures += 1;
      },
      onForged: () => {
        seen.forged += 1;
      },
      ...options,
      ...more,
    });
  return { store, seen, make, it: make() };
}
const entry = (text: string) => ({ text, declared: false, freshMs: 1000, staleMs: 0, open: true });
const textAt = async (it: SharedSpace, key: string) => (await it.find("tools", key, undefined))?.entry?.text;

test("a value that no gateway with our keys has written is a miss, and counted; nothing of it reaches a caller", async () => {
  const { store, seen, it } = space();
  it.keep("call", entry('{"content":[]}'), "0");
  const [[name, sealed]] = [...store.values] as [[string, string]];
  expect(await textAt(it, "call")).toBe('{"content":[]}');
  const forged = [
    ...["0\n99999\n0\n0\n{}", "", "not json", "[1", '{"content":[]},"id":99'],
    ...[sealed.replace('{"content":[]}', '{"content":[]},"id":99,"x":{}'), sealed.replace("\n0\n", "\n1\n")],
    ...[`b${sealed.slice(1)}`, sealed.replace(/^a\.\S+/, "a."), sealed.slice(0, -1), `\n${sealed}`],
  ];
  for (const value of forged) {
    store.values.set(name, value);
    expect([value, await textAt(it, "call")]).toEqual([value, undefined]);
  }
  expect(seen).toEqual({ forged: forged.length, failures: 0 });
});

test.each([["OK"], [null], [7], [[]], [["0", 7]], [["0", null, null]], [{}]])(
  "an answer of Redis that is none to what was asked fails no call: %j",
  async (said) => {
    const { seen, it } = space({ redis: { ready: true, send: async () => said } });
    expect(await it.find("tools", "call", undefined)).toBeUndefined();
    expect(seen).toEqual({ forged: 1, failures: 0 });
  },
);

test("an answer is good under its own key only", async () => {
  const { store, seen, it } = space();
  it.keep("mine", entry('{"secret":1}'), "0");
  it.keep("another's", entry('{"secret":2}'), "0");
  const [[first, value], [second]] = [...store.values] as [[string, string], [string, string]];
  store.values.set(second, value);
  expect([await textAt(it, "mine"), await textAt(it, "another's"), seen.forged]).toEqual([
    '{"secret":1}',
    undefined,
    1,
  ]);
  expect(first).not.toBe(second);
});

test("what is sealed but no result is a miss as well", async () => {
  const { seen, it } = space();
  for (const text of ["[1]", "7", "not json", ""]) {
    it.keep("call", entry(text), "0");
    expect(await textAt(it, "call")).toBeUndefined();
  }
  expect(seen.forged).toBe(4);
});

test("keys are rotated without losing what is kept: the first one marks, all are taken", async () => {
  const { it, make, store } = space();
  it.keep("call", entry('{"of":"a"}'), "0");
  const rotated = make({ seal: new EntrySeal([keyed("b"), keyed("a")]) });
  expect(await textAt(rotated, "call")).toBe('{"of":"a"}');
  rotated.keep("call", entry('{"of":"b"}'), "0");
  expect([...store.values.values()].map((value) => value[0])).toEqual(["b"]);
  expect([await textAt(it, "call"), await textAt(rotated, "call")]).toEqual([undefined, '{"of":"b"}']);
});

test("a large answer is not shared, and of the others a process keeps so much in Redis", async () => {
  const { store, it } = space({ maxBytes: 5000 });
  it.keep("large", entry(`{"a":"${"x".repeat(993)}"}`), "0");
  it.keep("in characters of several bytes", entry(`{"a":"${"ü".repeat(500)}"}`), "0");
  expect(store.values.size).toBe(0);
  for (let index = 0; index < 100; index += 1) it.keep(`call ${index}`, entry(`{"a":"${"x".repeat(900)}"}`), "0");
  expect(store.values.size).toBe(4);
  expect([await textAt(it, "call 95"), (await textAt(it, "call 99"))?.length]).toEqual([undefined, 908]);
});

test.each([
  ["from its configuration, in RESP3", { CONFIG: { "maxmemory-policy": "allkeys-lru" } }, "allkeys-lru"],
  ["from its configuration", { CONFIG: ["maxmemory-policy", "volatile-ttl"] }, "volatile-ttl"],
  [
    "from its statistics, where CONFIG is forbidden",
    { INFO: "used_memory:1\r\nmaxmemory_policy:noeviction\r\n" },
    "noeviction",
  ],
  ["from nowhere", {}, undefined],
])("whether Redis drops counts is known %s", async (_where, answers: Record<string, unknown>, policy) => {
  const send = async ([command = ""]: readonly string[]) => {
    if (answers[command] === undefined) throw new Error("NOPERM");
    return answers[command];
  };
  expect(await evictionPolicy(send)).toBe(policy);
});
