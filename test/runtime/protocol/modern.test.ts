import { expect, test } from "@jest/globals";
import { withModernParts, withoutModernParts } from "../../../runtime/protocol/modern.ts";
import { RawReply } from "../../../runtime/protocol/raw-reply.ts";

const server = { name: "server", version: "1" };
const meta = { "io.modelcontextprotocol/serverInfo": server };

test("a result of the session era gets what stateless clients expect; what a server says itself stays", () => {
  expect(withModernParts("tools/call", { result: { content: [] } }, server)).toEqual({
    result: { resultType: "complete", content: [], _meta: meta },
  });
  expect(withModernParts("tools/list", { result: { tools: [] } }, server)).toEqual({
    result: { resultType: "complete", ttlMs: 0, cacheScope: "private", tools: [], _meta: meta },
  });
  const own = { resultType: "task", ttlMs: 9, cacheScope: "public", _meta: { ...meta, x: 1 } };
  expect(withModernParts("tools/list", { result: own }, { name: "other", version: "2" })).toEqual({ result: own });
});

test("a missing resource has the era's own code", () => {
  const reply = (code: number) => ({ error: { code, message: "not found" } });
  expect(withModernParts("resources/read", reply(-32002), server)).toEqual(reply(-32602));
  expect(withModernParts("resources/read", reply(-32603), server)).toEqual(reply(-32603));
});

test("a result of the stateless era loses its parts for the session era, and nothing else", () => {
  const modern = { resultType: "complete", ttlMs: 0, cacheScope: "private", tools: [] };
  expect(withoutModernParts({ result: { ...modern, _meta: meta } })).toEqual({ result: { tools: [] } });
  expect(withoutModernParts({ result: { ...modern, _meta: { ...meta, x: 1 } } })).toEqual({
    result: { tools: [], _meta: { x: 1 } },
  });
});

test.each(["tools/call", "tools/list"])("%s: an unread result gets the same parts as a parsed one", (method) => {
  const results = [
    "{}",
    '{"content":[{"type":"text","text":"_meta"}]}',
    '{"_meta":{"x":1},"tools":[]}',
    '{"resultType":"task"}',
    '{"ttlMs":9,"cacheScope":"public"}',
  ];
  for (const text of results) {
    const parsed = withModernParts(method, { result: JSON.parse(text) }, server) as { result: unknown };
    const unread = withModernParts(method, new RawReply(text), server) as { result: unknown };
    expect(unread.result).toEqual(parsed.result);
  }
  expect(withModernParts(method, new RawReply('{"tools":[]}'), server)).toBeInstanceOf(RawReply);
});
