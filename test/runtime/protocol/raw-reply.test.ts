import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { FleetError } from "../../../runtime/errors.ts";
import { encodeReply } from "../../../runtime/protocol/json-rpc.ts";
import { maxFollowed } from "../../../runtime/protocol/json-scan.ts";
import { takeApart, takeBytesApart } from "../../../runtime/protocol/raw-reply.ts";

const within = '{"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"\\"theirs\\""}]}}';

test.each([
  ['{"jsonrpc":"2.0","id":1,"result":{"a":[1,"}",{"b":"\\"]"}]}}', "1", '{"a":[1,"}",{"b":"\\"]"}]}'],
  ['{"result":{},"id":"x","jsonrpc":"2.0"}', '"x"', "{}"],
  ['{ "jsonrpc": "2.0", "id": 7, "result": null } ', "7", "null"],
  ['{"id":0,"result":"a\\\\"}', "0", '"a\\\\"'],
])("%s", (text, id, result) => {
  const response = takeApart(text);
  expect(response?.id).toBe(id);
  expect(response?.reply.text).toBe(result);
  expect(response?.reply.result).toEqual(JSON.parse(result));
});

test.each([
  ["an error", '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}'],
  ["a request", '{"jsonrpc":"2.0","id":1,"method":"ping"}'],
  ["a third member", '{"jsonrpc":"2.0","id":1,"result":{},"extra":1}'],
  ["two results", '{"jsonrpc":"2.0","id":1,"result":{},"result":{}}'],
  ["two ids", '{"jsonrpc":"2.0","id":1,"id":2,"result":{}}'],
  ["another version", '{"jsonrpc":"1.0","id":1,"result":{}}'],
  ["no id", '{"jsonrpc":"2.0","result":{}}'],
  ["no result", '{"jsonrpc":"2.0","id":1}'],
  ["an escape in a name", '{"id":1,"\\u0072esult":{}}'],
  ["a line break", '{"id":1,"result":{\n}}'],
  ["a second message", '{"id":1,"result":{}}{"id":2,"result":{}}'],
  ["a bracket too many", '{"id":1,"result":{}}}'],
  ["a bracket of the other kind", '{"id":1,"result":{"a":[}}'],
  ["a bracket too few", '{"id":1,"result":{"a":[}'],
  ["an open string", '{"id":1,"result":{"a":"b}}'],
  ["no value", '{"id":1,"result":}'],
  // A server that answers two callers on one connection at once: the other one's words would be in this answer.
  ["an answer within an answer", `{"id":1,"result":{"content":[{"${within}`],
  ["an array", '[{"id":1,"result":{}}]'],
  ["nothing", ""],
])("%s is left to the parser", (_what, text) => {
  expect(takeApart(text)).toBeUndefined();
});

test("for any result the client gets what the server said", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.oneof(fc.nat(), fc.stringMatching(/^[\w-]+$/)), (result, id) => {
      const text = JSON.stringify({ jsonrpc: "2.0", id, result });
      const response = takeApart(text);
      expect(response?.id).toBe(JSON.stringify(id));
      expect(JSON.parse(encodeReply("client's", response?.reply ?? { result: "lost" }))).toEqual({
        ...{ jsonrpc: "2.0", id: "client's" },
        result: JSON.parse(JSON.stringify(result)),
      });
    }),
    { seed: 11, numRuns: 500 },
  );
});

describe("bytes", () => {
  const of = (text: string, id = 12) => {
    const released: string[] = [];
    return { released, reply: takeBytesApart(Buffer.from(text), id, () => void released.push("released")) };
  };

  test.each(['{"jsonrpc":"2.0","id":12,"result":{"a":"ä"}}', '{"result":{"a":"ä"},"jsonrpc":"2.0","id":12}'])(
    "%s",
    (text) => {
      const { reply, released } = of(text);
      expect(reply?.borrow()?.toString()).toBe('{"a":"ä"}}');
      expect([reply?.text, reply?.result]).toEqual(['{"a":"ä"}', { a: "ä" }]);
      reply?.sent();
      expect(released).toEqual(["released"]);
    },
  );

  test.each([
    '{"jsonrpc":"2.0","id":12,"error":{"code":1,"message":"x"}}',
    '{"result":{},"id":12,"jsonrpc":"2.0"}',
    '{"jsonrpc":"2.0","id":"12","result":{}}',
    '{"jsonrpc":"2.0","id":12.0,"result":{}}',
    '{"jsonrpc":"2.0","id":1,"result":{}}',
    '{"jsonrpc":"2.0","id":123,"result":{}}',
    '{"result":{},"jsonrpc":"2.0","id":1}',
    '{"result":{},"jsonrpc":"2.0","id":123}',
    '{"jsonrpc":"2.0","id":12,"result":{}}\n',
    '{"jsonrpc":"2.0","id":12,"result":{},"id":9}',
    '{"jsonrpc":"2.0","id":12,"result":{"a":[}}',
    '{"result":{"a":[},"jsonrpc":"2.0","id":12}',
    '{"jsonrpc":"2.0","id":12,"result":{"a":"b}}',
    `{"jsonrpc":"2.0","id":12,"result":{"content":[{"${within}`,
  ])("%s is left to the parser", (text) => {
    expect(of(text).reply).toBeUndefined();
  });

  test("a result that is not JSON on one line: made so, or refused", () => {
    expect(of('{"jsonrpc":"2.0","id":12,"result":{\n"a": 1}}').reply?.text).toBe('{"a":1}');
    expect(() => of('{"jsonrpc":"2.0","id":12,"result":{\n"a" 1}}').reply?.text).toThrow(
      "the server's result is not JSON",
    );
  });

  test("the memory goes back after the last one who sends it, and never for a reply that is kept", () => {
    const { reply, released } = of('{"jsonrpc":"2.0","id":12,"result":{}}');
    reply?.borrow();
    reply?.borrow();
    reply?.sent();
    expect(released).toEqual([]);
    reply?.sent();
    expect([released, reply?.borrow()]).toEqual([["released"], undefined]);
    expect(() => reply?.text).toThrow("a reply was used after it had been sent; keep() it before");
    const kept = of('{"jsonrpc":"2.0","id":12,"result":{}}');
    kept.reply?.keep();
    kept.reply?.borrow();
    kept.reply?.sent();
    expect([kept.released, kept.reply?.text]).toEqual([[], "{}"]);
  });
});

test("a result with more values than can be read is relayed, and fails who looks inside", () => {
  const result = `{"content":[${"[],".repeat(200_000)}[]]}`;
  const reply = takeApart(`{"jsonrpc":"2.0","id":1,"result":${result}}`)?.reply;
  expect(reply?.text).toBe(result);
  const error = new FleetError(
    "UPSTREAM_PROTOCOL",
    "the server's result cannot be read: it has more than 250000 values",
  );
  expect(() => reply?.result).toThrow(error);
});

describe("how much of a large result is followed", () => {
  const response = (result: string) => `{"jsonrpc":"2.0","id":7,"result":${result}}`;
  const taken = (result: string) => [
    takeApart(response(result))?.reply.text === result,
    takeBytesApart(Buffer.from(response(result)), 7, () => {}) !== undefined,
  ];
  const structured = (characters: number) => `[${"1".repeat(characters - 2)}]`;

  test("one with as much structure as is followed is relayed, one with more is not", () => {
    expect(taken(structured(maxFollowed))).toEqual([true, true]);
    expect(taken(structured(maxFollowed + 2))).toEqual([false, false]);
  });

  test("text inside of long strings does not count", () => {
    expect(taken(`["${"x".repeat(2 * maxFollowed)}"]`)).toEqual([true, true]);
    expect(taken(`["${'\\"'.repeat(maxFollowed)}"]`)).toEqual([true, true]);
  });

  test("many short strings do", () => {
    expect(taken(`[${'"",'.repeat(maxFollowed / 2)}0]`)).toEqual([false, false]);
  });
});
