import { expect, test } from "@jest/globals";
import { FleetError } from "../../../runtime/errors.ts";
import type { Params, RpcReply } from "../../../runtime/protocol/json-rpc.ts";
import { Catalog } from "../../../runtime/registry/catalog.ts";
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

test("when every instance is somebody's own the old list serves, whatever its age", async () => {
  let time = 0;
  const full = new FleetError("POOL_EXHAUSTED", "all instances are leased");
  const replies: (RpcReply | FleetError)[] = [{ result: { tools: [{ name: "a" }] } }, full, full];
  const it = new Catalog({
    ...{ fleet: "fake", timeoutMs: 1000, now: () => time, offers: async () => ({}) },
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

test("a server without the capability is not asked, one that counts in circles is given up", async () => {
  const { catalog: silent, asked } = catalog([], null);
  expect(await silent.list("prompts")).toEqual([]);
  expect(asked).toEqual([]);
  const endless = new Catalog({
    fleet: "fake",
    timeoutMs: 1000,
    ask: async () => ({ result: { tools: [{ name: "a" }], nextCursor: "again" } }),
    now: () => 0,
    offers: async () => ({ listChanged: true }),
  });
  expect((await endless.list("tools")).length).toBe(100);
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
