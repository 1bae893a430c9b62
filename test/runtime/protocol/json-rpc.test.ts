import { describe, expect, test } from "@jest/globals";
import { FleetError } from "../../../runtime/errors.ts";
import {
  checkMessage,
  encodeNotification,
  encodeReply,
  encodeRequest,
  errorReply,
  parseMessage,
  parseMessages,
} from "../../../runtime/protocol/json-rpc.ts";
import { maxParts } from "../../../runtime/protocol/json-shape.ts";

describe("checkMessage", () => {
  test.each([
    [[], "Invalid request: the message is not an object"],
    [null, "Invalid request: the message is not an object"],
    [{ id: 1, method: "ping" }, 'Invalid request: "jsonrpc" must be "2.0"'],
    [{ jsonrpc: "2.0", id: null, method: "ping" }, 'Invalid request: "id" must be a string or a number'],
    [{ jsonrpc: "2.0", id: 1, method: 7 }, 'Invalid request: "method" must be a string'],
    [{ jsonrpc: "2.0", id: 1, method: "ping", params: [1] }, 'Invalid request: "params" must be an object'],
    [
      { jsonrpc: "2.0", id: 1, method: "ping", params: { _meta: null } },
      'Invalid request: "params._meta" must be an object',
    ],
    [{ jsonrpc: "2.0", id: 1 }, 'Invalid request: a message has "method", or "id" with one of "result" and "error"'],
    [
      { jsonrpc: "2.0", id: 1, result: {}, error: {} },
      'Invalid request: a message has "method", or "id" with one of "result" and "error"',
    ],
  ])("refuses %j", (value, message) => {
    expect(() => checkMessage(value)).toThrow(new FleetError("INVALID_REQUEST", message));
  });

  test("returns the same object for a good one", () => {
    const message = { jsonrpc: "2.0", id: "a", method: "tools/call", params: { name: "x" } };
    expect(checkMessage(message)).toBe(message);
  });
});

test("parseMessages takes an array of messages and refuses an empty one and what is not JSON", () => {
  const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
  expect(parseMessages(JSON.stringify([ping, ping]))).toEqual([ping, ping]);
  expect(() => parseMessages("[]")).toThrow("Invalid request: the batch is empty");
  expect(() => parseMessages("{")).toThrow("the body is not JSON; send one JSON-RPC message encoded as UTF-8");
});

test("encoded messages are the JSON of the whole message", () => {
  expect(JSON.parse(encodeReply("é", { result: { a: 1 } }))).toEqual({ jsonrpc: "2.0", id: "é", result: { a: 1 } });
  expect(JSON.parse(encodeReply(null, { error: { code: 1, message: "m" } }))).toEqual({
    jsonrpc: "2.0",
    id: null,
    error: { code: 1, message: "m" },
  });
  expect(JSON.parse(encodeRequest(3, "tools/call", { name: "x" }))).toEqual({
    jsonrpc: "2.0",
    id: 3,
    method: "tools/call",
    params: { name: "x" },
  });
  expect(JSON.parse(encodeRequest(3, "ping", undefined))).toEqual({ jsonrpc: "2.0", id: 3, method: "ping" });
  expect(JSON.parse(encodeNotification("n"))).toEqual({ jsonrpc: "2.0", method: "n" });
});

test("errorReply names a foreseen error, tells whether to retry, and hides what nobody foresaw", () => {
  expect(errorReply(new FleetError("POOL_EXHAUSTED", "full", { data: { max: 4 } }))).toEqual({
    error: { code: -31013, message: "full", data: { code: "POOL_EXHAUSTED", retryable: true, max: 4 } },
  });
  expect(errorReply(new FleetError("INVALID_PARAMS", "no"))).toEqual({
    error: { code: -32602, message: "no", data: { code: "INVALID_PARAMS" } },
  });
  expect(errorReply(new TypeError("secret path"))).toEqual({ error: { code: -32603, message: "Internal error" } });
});

test.each([
  ["512 levels", "[".repeat(511), "]".repeat(511), true],
  ["513 levels", "[".repeat(512), "]".repeat(512), false],
  ["many short levels one after the other", "[".repeat(400), `${"]".repeat(399)}${",[]".repeat(2000)}]`, true],
  ["brackets in a text that ends in a backslash", `["\\\\","${"[".repeat(2000)}"`, "]", true],
  ["brackets after an escaped quotation mark", `["\\"${"[".repeat(2000)}"`, "]", true],
])("nesting: %s", (_what, opening, closing, allowed) => {
  const text = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"pad":"${"x".repeat(1100)}"},"result":${opening}${closing}}`;
  const parse = () => parseMessages(text);
  if (allowed) expect(parse()).toMatchObject({ id: 1 });
  else expect(parse).toThrow("Invalid request: it nests deeper than 512 levels");
});

test("a message with more values than can be read while others wait is refused, whatever its bytes", () => {
  const message = (values: number) => `{"jsonrpc":"2.0","method":"n","params":{"a":[${"0,".repeat(values)}0]}}`;
  expect(parseMessages(message(1000))).toMatchObject({ method: "n" });
  const flaw = "Invalid request: it has more than 250000 values";
  for (const parse of [parseMessages, parseMessage]) expect(() => parse(message(300_000))).toThrow(flaw);
  // Texts are one value each, whatever they hold.
  expect(parseMessage(`{"jsonrpc":"2.0","method":"n","params":{"a":"${"[],".repeat(300_000)}"}}`)).toMatchObject({
    method: "n",
  });
});

test("a client's message has at most 100,000 arrays, objects and members; texts and numbers are not counted", () => {
  const message = (list: string) => `{"jsonrpc":"2.0","id":1,"method":"x/y","params":{"list":[${list}]}}`;
  // The message, its parameters, the list and their five members.
  const own = 8;
  expect(
    parseMessages(
      message(
        Array(maxParts - own)
          .fill("{}")
          .join(),
      ),
    ),
  ).toMatchObject({ id: 1 });
  const more = message(
    Array(maxParts - own)
      .fill("{}")
      .join()
      .replace("{}", '{"a":1}'),
  );
  expect(() => parseMessages(more)).toThrow(
    "Invalid request: it has more than 100000 arrays, objects and members of objects",
  );
  const list = Array(200_000).fill(1);
  expect(parseMessages(message(`"${'[{\\":'.repeat(200_000)}",${list.join()}`))).toMatchObject({ id: 1 });
  // A server's answer is not a client's message.
  expect(parseMessage(`{"jsonrpc":"2.0","id":1,"result":[${Array(maxParts).fill("{}").join()}]}`)).toMatchObject({
    id: 1,
  });
});
