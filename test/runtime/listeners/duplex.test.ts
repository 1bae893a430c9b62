import { expect, jest, test } from "@jest/globals";
import { Duplex, type DuplexOptions } from "../../../runtime/listeners/duplex.ts";
import type { McpTarget } from "../../../runtime/listeners/target.ts";

/** A connection whose calls end when the test says so. */
function open(target: Partial<McpTarget> = {}) {
  const said: string[] = [];
  const events: string[] = [];
  const ending: (() => void)[] = [];
  let opening: PromiseWithResolvers<unknown> | undefined;
  let most = 0;
  let running = 0;
  const session = {
    claims: { revision: "2025-03-26" },
    streams: new Set(),
    calls: [],
    answered: (id: unknown) => events.push(`answered ${id}`),
  };
  const calls = {
    sessions: { end: () => events.push("ended") },
    open: async () => {
      events.push("opening");
      opening = Promise.withResolvers();
      await opening.promise;
      return { answer: "opened", id: "sealed", session };
    },
    call: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => ending.push(resolve));
      running -= 1;
      return { result: {} };
    },
    notified: (_session: unknown, _target: unknown, { method }: { method: string }) => events.push(method),
  };
  const closes: unknown[] = [];
  const subscriptions = {
    open:
      async (_stream: unknown, _target: unknown, { id }: { id: unknown }) =>
      () =>
        closes.push(id),
  };
  const options = { calls, subscriptions, log: { error: () => {} } } as unknown as DuplexOptions;
  const duplex = new Duplex(options, target as McpTarget, {
    send: (message: string) => said.push(message),
    waiting: 0,
    close: (reason) => events.push(reason),
    cut: () => events.push("cut"),
    pause: () => events.push("pause"),
    resume: () => events.push("resume"),
  });
  return {
    duplex,
    said,
    events,
    ending,
    closes,
    most: () => most,
    opened: async () => {
      opening?.resolve(undefined);
      await settled();
    },
  };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));
const ping = (id: unknown) => ({ jsonrpc: "2.0", id, method: "ping" });
const initialize = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize" });

async function withSession() {
  const connection = open();
  connection.duplex.receive(initialize);
  await connection.opened();
  connection.events.length = 0;
  connection.said.length = 0;
  return connection;
}

test("of calls that come in batches and alone no more than 256 run at once, and each has its answer", async () => {
  const { duplex, said, events, ending, most } = await withSession();
  const batch = Array.from({ length: 256 }, (_none, id) => ping(id));
  for (let round = 0; round < 3; round += 1) expect(duplex.receive(JSON.stringify(batch))).toBeUndefined();
  for (let id = 1000; id < 1100; id += 1) duplex.receive(JSON.stringify(ping(id)));
  await settled();
  expect([most(), ending.length, events]).toEqual([256, 256, ["pause"]]);
  while (ending.length > 0) {
    for (const end of ending.splice(0)) end();
    await settled();
  }
  expect(most()).toBe(256);
  const answers = said.flatMap((text) => JSON.parse(text) as { id: number }[] | { id: number });
  expect([answers.length, events.at(-1)]).toEqual([3 * 256 + 100, "resume"]);
});

test("a batch of more messages is refused as a whole", async () => {
  const { duplex, said, ending } = await withSession();
  expect(duplex.receive(JSON.stringify(Array.from({ length: 257 }, (_none, id) => ping(id))))).toBe("INVALID_REQUEST");
  expect([said.map((text) => JSON.parse(text).error.message), ending.length]).toEqual([
    ["Invalid request: the batch has 257 messages; send at most 256 at once"],
    0,
  ]);
});

test("a client that heeds no back-pressure is cut", async () => {
  const { duplex, events } = await withSession();
  for (let id = 0; id < 256 + 4096; id += 1) duplex.receive(JSON.stringify(ping(id)));
  expect([events, duplex.crowded]).toEqual([["pause"], true]);
  duplex.receive(JSON.stringify(ping("more")));
  expect(events).toEqual(["pause", "cut"]);
});

test("requests that waited for a place when the connection closed are not executed", async () => {
  const { duplex, ending, events } = await withSession();
  for (let id = 0; id < 300; id += 1) duplex.receive(JSON.stringify(ping(id)));
  duplex.closed();
  await settled();
  expect([ending.length, events]).toEqual([256, ["pause", "ended"]]);
});

test("while a session opens the connection is not read, and 256 messages wait at most", async () => {
  const { duplex, events, opened } = open();
  duplex.receive(initialize);
  for (let index = 0; index < 300; index += 1) duplex.receive(`{"jsonrpc":"2.0","method":"n${index}"}`);
  await settled();
  expect(events).toEqual(["opening", "pause"]);
  await opened();
  expect(events.filter((event) => /^n\d/.test(event))).toEqual(
    Array.from({ length: 256 }, (_none, index) => `n${index}`),
  );
  expect(events).toContain("resume");
});

test("one connection has one session: the first one ends when another one is opened, however fast", async () => {
  const { duplex, events, opened } = open();
  duplex.receive(initialize);
  duplex.receive(initialize);
  await settled();
  expect(events).toEqual(["opening", "pause"]);
  await opened();
  await opened();
  expect(events.filter((event) => event === "opening" || event === "ended")).toEqual(["opening", "ended", "opening"]);
});

test("a second subscription of the same id is refused, and the first one ends with its connection", async () => {
  const { duplex, said, closes } = open();
  const listen = JSON.stringify({
    jsonrpc: "2.0",
    id: "s",
    method: "subscriptions/listen",
    params: {
      _meta: {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
      },
    },
  });
  duplex.receive(listen);
  duplex.receive(listen);
  await settled();
  expect(said.map((text) => JSON.parse(text).error.message)).toEqual([
    'Invalid request: the id "s" belongs to a request that is open; use another',
  ]);
  duplex.receive('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"s"}}');
  await settled();
  expect(closes).toEqual(["s"]);
  duplex.receive(listen);
  await settled();
  duplex.closed();
  expect(closes).toEqual(["s", "s"]);
});

test("a subscription whose id is a long number is refused twice and cancelled by all of its digits", async () => {
  const { duplex, said, closes } = open();
  const _meta =
    '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}';
  const listen = (id: string) =>
    duplex.receive(`{"jsonrpc":"2.0","id":${id},"method":"subscriptions/listen","params":{"_meta":{${_meta}}}}`);
  const cancel = (id: string) =>
    duplex.receive(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`);
  listen("9007199254740993");
  listen("9007199254740995");
  listen("9007199254740993");
  await settled();
  expect(said).toEqual([
    '{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":-32600,"message":"Invalid request: the id 9007199254740993 ' +
      'belongs to a request that is open; use another","data":{"code":"INVALID_REQUEST"}}}',
  ]);
  cancel("9007199254740994");
  cancel("9007199254740993");
  await settled();
  expect(closes.map(String)).toEqual(["9007199254740993"]);
});

test("a connection whose credential has ended hears the answer to its call, then it is closed", async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick", "queueMicrotask"] });
  const it = open({ expiresAt: Date.now() + 60_000 });
  it.duplex.receive('{"jsonrpc":"2.0","id":1,"method":"initialize"}');
  await it.opened();
  it.duplex.receive('{"jsonrpc":"2.0","id":2,"method":"tools/call"}');
  while (it.ending.length === 0) await new Promise((resolve) => setImmediate(resolve));
  // Past the end of the credential.
  jest.advanceTimersByTime(60_001);
  jest.useRealTimers();
  await settled();
  expect(it.events).not.toContain("the credential has expired");
  it.ending[0]?.();
  while (!it.events.includes("the credential has expired")) await new Promise((resolve) => setImmediate(resolve));
  expect(it.said.at(-1)).toBe('{"jsonrpc":"2.0","id":2,"result":{}}');
});
