import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { encodeReply } from "../../../runtime/protocol/json-rpc.ts";
import { takeApart } from "../../../runtime/protocol/raw-reply.ts";

test.each([
  ['{"jsonrpc":"2.0","id":1,"result":{"a":[1,"}",{"b":"\\"]"}]}}', 1, '{"a":[1,"}",{"b":"\\"]"}]}'],
  ['{"result":{},"id":"x","jsonrpc":"2.0"}', "x", "{}"],
  ['{ "jsonrpc": "2.0", "id": 7, "result": null } ', 7, "null"],
  ['{"id":0,"result":"a\\\\"}', 0, '"a\\\\"'],
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
  ["a fraction as id", '{"id":1.5,"result":{}}'],
  ["an escape in the id", '{"id":"\\u0061","result":{}}'],
  ["an escape in a name", '{"id":1,"\\u0072esult":{}}'],
  ["a line break", '{"id":1,"result":{\n}}'],
  ["a second message", '{"id":1,"result":{}}{"id":2,"result":{}}'],
  ["a bracket too many", '{"id":1,"result":{}}}'],
  ["a bracket too few", '{"id":1,"result":{"a":[}'],
  ["an open string", '{"id":1,"result":{"a":"b}}'],
  ["no value", '{"id":1,"result":}'],
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
      expect(response?.id).toBe(id);
      expect(JSON.parse(encodeReply("client's", response?.reply ?? { result: "lost" }))).toEqual({
        ...{ jsonrpc: "2.0", id: "client's" },
        result: JSON.parse(JSON.stringify(result)),
      });
    }),
    { seed: 11, numRuns: 500 },
  );
});
