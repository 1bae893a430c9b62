import { expect, test } from "@jest/globals";
import type { Params, RpcReply } from "../../../runtime/protocol/json-rpc.ts";
import { Catalog } from "../../../runtime/registry/catalog.ts";

function catalog(replies: RpcReply[], offered = true) {
  const asked: unknown[] = [];
  const ask = async (method: string, params: Params | undefined) => {
    asked.push([method, params]);
    return replies.shift() as RpcReply;
  };
  return { asked, catalog: new Catalog({ fleet: "fake", timeoutMs: 1000, ask, offers: async () => offered }) };
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
  const { catalog: silent, asked } = catalog([], false);
  expect(await silent.list("prompts")).toEqual([]);
  expect(asked).toEqual([]);
  const endless = new Catalog({
    fleet: "fake",
    timeoutMs: 1000,
    ask: async () => ({ result: { tools: [{ name: "a" }], nextCursor: "again" } }),
    offers: async () => true,
  });
  expect((await endless.list("tools")).length).toBe(100);
});
