import { expect, test } from "@jest/globals";
import type { Logger } from "pino";
import { FleetError } from "../../../runtime/errors.ts";
import type { Params, RpcReply } from "../../../runtime/protocol/json-rpc.ts";
import { RawReply } from "../../../runtime/protocol/raw-reply.ts";
import { Catalog, maxEntries, maxListLength } from "../../../runtime/registry/catalog.ts";
import { settled } from "../../support/fake-connector.ts";

function catalog(replies: RpcReply[], offered: object | null = { listChanged: true }) {
  const asked: unknown[] = [];
  const ask = async (method: string, params: Params | undefined) => {
    asked.push([method, params]);
    return replies.shift() as RpcReply;
  };
  return {
    asked,
    catalog: new Catalog({
      fleet: "fake",
      timeoutMs: 1000,
      now: () => 0,
      ask,
      offers: async () => offered ?? undefined,
    }),
  };
}

test("all pages are read once, in order, for all who ask at the same time", async () => {
  const pages = [{ result: { tools: [{ name: "a" }], nextCursor: "2" } }, { result: { tools: [{ name: "b" }] } }];
  const { catalog: it, asked } = catalog(pages);
  expect(it.toolCount).toBeUndefined();
  const lists = await Promise.all([it.list("tools"), it.list("tools")]);
  expect(lists).toEqual([
    [{ name: "a" }, { name: "b" }],
    [{ name: "a" }, { name: "b" }],
  ]);
  expect(asked).toEqual([
    ["tools/list", undefined],
    ["tools/list", { cursor: "2" }],
  ]);
  expect(it.toolCount).toBe(2);
});

test("all pages of a list have the time of one request together", async () => {
  let time = 0;
  const given: number[] = [];
  const it = new Catalog({
    fleet: "fake",
    timeoutMs: 1000,
    now: () => time,
    offers: async () => ({ listChanged: true }),
    ask: async (_method, _params, { remainingMs }) => {
      given.push(remainingMs);
      time += 400;
      return { result: { tools: [], ...(given.length < 4 ? { nextCursor: String(given.length) } : {}) } };
    },
  });
  await it.list("tools");
  expect(given).toEqual([1000, 600, 200, 1]);
});

test("whether the list of tools is at hand says when calls need not wait for it", async () => {
  let time = 0;
  const it = new Catalog({
    fleet: "fake",
    timeoutMs: 1000,
    now: () => time,
    offers: async () => ({}),
    ask: async () => ({ result: { tools: [{ name: "a" }], ttlMs: 50 } }),
  });
  const had = [it.hasTools];
  const reading = it.list("tools");
  had.push(it.hasTools);
  await reading;
  had.push(it.hasTools);
  time = 50;
  had.push(it.hasTools);
  expect(had).toEqual([false, false, true, false]);
});

test("when every instance is somebody's own the old list serves, whatever its age", async () => {
  let time = 0;
  const full = new FleetError("POOL_EXHAUSTED", "all instances are leased");
  const replies: (RpcReply | FleetError)[] = [{ result: { tools: [{ name: "a" }] } }, full, full];
  const it = new Catalog({
    fleet: "fake",
    timeoutMs: 1000,
    now: () => time,
    offers: async () => ({}),
    ask: async () => {
      const reply = replies.shift() ?? { result: { tools: [] } };
      if (reply instanceof FleetError) throw reply;
      return reply;
    },
  });
  await it.list("tools");
  for (time of [60 * 60_000, 61 * 60_000]) {
    expect(await it.list("tools")).toEqual([{ name: "a" }]);
    await settled();
  }
  time = 62 * 60_000;
  expect(await it.list("tools")).toEqual([]);
  expect(replies).toEqual([]);
});

test("a change makes it ask again, a failure too", async () => {
  const { catalog: it, asked } = catalog([
    { result: { tools: [] } },
    { error: { code: -32603, message: "not now" } },
    { result: { tools: [{ name: "a" }] } },
  ]);
  await it.list("tools");
  it.invalidate("tools");
  await expect(it.list("tools")).rejects.toThrow("fake: tools/list failed: not now");
  expect(await it.list("tools")).toEqual([{ name: "a" }]);
  expect(asked.length).toBe(3);
});

test("a server without the capability is not asked", async () => {
  const { catalog: silent, asked } = catalog([], null);
  expect(await silent.list("prompts")).toEqual([]);
  expect(asked).toEqual([]);
});

/** A list whose pages the test makes; what was asked for and noted. */
function paged(page: (count: number) => unknown) {
  const warned: unknown[] = [];
  let asked = 0;
  const it = new Catalog({
    fleet: "fake",
    timeoutMs: 1000,
    now: () => 0,
    offers: async () => ({ listChanged: true }),
    log: { warn: (...said: unknown[]) => warned.push(said) } as unknown as Logger,
    ask: async () => {
      asked += 1;
      const result = page(asked);
      return result instanceof RawReply ? result : { result };
    },
  });
  return { it, warned, asked: () => asked };
}

const tools = [{ name: "a" }, { name: "b" }];
const ends = (problem: string, page: number) => [
  { fleet: "fake", method: "tools/list", page },
  `the list ${problem}: it ends here`,
];
const leftOut = (count: number) => [
  { fleet: "fake", method: "tools/list", leftOut: count },
  "entries of the list without a name, or with one that came before, are left out",
];

test.each([
  ["the same cursor for ever", () => "8", 2, "comes back to a cursor that it has given before"],
  ["two cursors in turn", (page: number) => String(page % 2), 3, "comes back to a cursor that it has given before"],
  ["an empty cursor", () => "", 1, "has a cursor that is none"],
  ["no text as a cursor", () => ({}), 1, "has a cursor that is none"],
  ["another cursor for ever", (page: number) => String(page), 100, "has more than 100 pages"],
])("a list with %s has each tool once, and ends", async (_what, cursor, pages, problem) => {
  const { it, warned, asked } = paged((page) => ({ tools, nextCursor: cursor(page) }));
  expect(await it.list("tools")).toEqual(tools);
  expect(asked()).toBe(pages);
  expect(warned).toEqual([ends(problem, pages), ...(pages > 1 ? [leftOut(2 * (pages - 1))] : [])]);
});

test("what has no name, or one that came before, is left out of a list", async () => {
  const { it, warned } = paged(() => ({ tools: [...tools, null, {}, { name: 7 }, { name: "a", other: 1 }] }));
  expect(await it.list("tools")).toEqual(tools);
  expect(warned).toEqual([leftOut(4)]);
  expect(await paged(() => ({ tools: "none" })).it.list("tools")).toEqual([]);
  expect(await paged(() => null).it.list("tools")).toEqual([]);
});

test("a name of half a character is left out of a list: the pages that link to tools stay", async () => {
  const { it, warned } = paged(() => ({ tools: [...tools, { name: "\ud800" }, { name: "\u{1f600}" }] }));
  expect(await it.list("tools")).toEqual([...tools, { name: "\u{1f600}" }]);
  expect(warned).toEqual([leftOut(1)]);
});

test("of the reason why a server gives no list callers and log get the beginning", async () => {
  const { catalog: it } = catalog([{ error: { code: 1, message: "x".repeat(100_000) } }]);
  const text = `fake: tools/list failed: ${"x".repeat(500)}`;
  await expect(it.list("tools")).rejects.toThrow(new FleetError("UPSTREAM_PROTOCOL", text));
});

test("a list has no more entries than its bound", async () => {
  const many = Array.from({ length: maxEntries + 5 }, (_, index) => ({ name: `t${index}` }));
  const { it, warned } = paged((page) => ({ tools: many, nextCursor: String(page) }));
  expect(it.utilization).toBe(0);
  expect(await it.list("tools")).toEqual(many.slice(0, maxEntries));
  expect([it.utilization, warned]).toEqual([1, [ends("has more than 20000 entries", 1)]]);
});

test("a list of pages that are large together fails, and the last one that was read stays", async () => {
  const padding = "x".repeat(maxListLength / 4);
  let huge = false;
  const page = (count: number) =>
    huge
      ? new RawReply(`{"tools":[{"name":"t${count}","description":"${padding}"}],"nextCursor":"${count}"}`)
      : { tools };
  const { it, asked } = paged(page);
  await it.list("tools");
  huge = true;
  it.invalidate();
  const text = `fake: tools/list: the list exceeds ${maxListLength} characters; let the server offer less`;
  await expect(it.list("tools")).rejects.toThrow(text);
  expect([asked(), it.tool("a")]).toEqual([5, { name: "a" }]);
});

test("a list with more values than can be shown while others wait fails, and the last one that was read stays", async () => {
  const schema = `{"enum":[${"[],".repeat(110_000)}[]]}`;
  let huge = false;
  const page = (count: number) =>
    huge ? new RawReply(`{"tools":[{"name":"t${count}","inputSchema":${schema}}],"nextCursor":"${count}"}`) : { tools };
  const { it, asked } = paged(page);
  await it.list("tools");
  huge = true;
  it.invalidate();
  const text = "fake: tools/list: the list has more than 500000 values; let the server offer less";
  await expect(it.list("tools")).rejects.toThrow(text);
  expect([asked(), it.tool("a")]).toEqual([4, { name: "a" }]);
});

test("a list whose changes are not announced is read again after half a minute", async () => {
  let time = 0;
  const asked: string[] = [];
  const ask = async (method: string) => {
    asked.push(method);
    return method === "resources/list"
      ? { result: { resources: [{ uri: "file:///a" }] } }
      : { error: { code: -32601, message: "Method not found" } };
  };
  const it = new Catalog({ fleet: "fake", timeoutMs: 1000, now: () => time, ask, offers: async () => ({}) });
  await it.list("resources");
  time = 29_999;
  expect(await it.list("resources")).toEqual([{ uri: "file:///a" }]);
  time = 30_000;
  await it.list("resources");
  // A server with resources need not have templates.
  expect(await it.list("resourceTemplates")).toEqual([]);
  it.invalidate("resources");
  await it.list("resourceTemplates");
  expect(asked).toEqual([
    ...["resources/list", "resources/list", "resources/templates/list", "resources/templates/list"],
  ]);
});

test("a list that is due is shown as it was while the server does not answer, and read again later", async () => {
  const clock = { time: 0 };
  const asked: { resolve: (reply: RpcReply) => void; reject: (error: Error) => void }[] = [];
  const it = new Catalog({
    ...{ fleet: "fake", timeoutMs: 1000, now: () => clock.time, offers: async () => ({}) },
    ask: () => new Promise((resolve, reject) => asked.push({ resolve, reject })),
  });
  const listed = (name: string) => ({ result: { tools: [{ name }] } });
  const first = it.list("tools");
  await settled();
  asked[0]?.resolve(listed("old"));
  await first;
  clock.time = 30_000;
  // It hangs.
  expect(await it.list("tools")).toEqual([{ name: "old" }]);
  expect(asked).toHaveLength(2);
  // It fails, and is not asked again at once.
  asked[1]?.reject(new Error("lost"));
  await settled();
  expect(await it.list("tools")).toEqual([{ name: "old" }]);
  expect(asked).toHaveLength(2);
  clock.time = 60_000;
  const again = it.list("tools");
  await settled();
  asked[2]?.resolve(listed("new"));
  expect(await again).toEqual([{ name: "new" }]);
  // Nothing is shown for ever.
  clock.time = 60_000 + 11 * 60_000;
  const last = it.list("tools");
  await settled();
  asked[3]?.reject(new Error("gone"));
  await expect(last).rejects.toThrow("gone");
});
