import { expect, test } from "@jest/globals";
import { resultOf, wrongIn } from "../../../runtime/bench/bench-session.ts";

const answer = (body: string, status = 200, type = "application/json") => ({
  status,
  head: `HTTP/1.1 ${status} X\r\nContent-Type: ${type}`,
  body,
});
const right = '{"jsonrpc":"2.0","id":12,"result":{"content":[{"type":"text","text":"t-12"}]}}';
const echo = { params: "", echoes: true };

test.each([
  ["the right answer", answer(right), echo, undefined],
  ["an answer with spaces", answer(right.replaceAll('":', '": ')), echo, undefined],
  ["a status", answer(right, 500), echo, "HTTP status 500"],
  ["another id", answer(right.replace("12,", "1,")), echo, "another id"],
  ["an id that only begins like it", answer(right.replace("12,", "123,")), echo, "another id"],
  ["another text", answer(right.replace("t-12", "t-11")), echo, "another text"],
  [
    "an error",
    answer('{"jsonrpc":"2.0","id":12,"error":{"code":-32000,"message":"t-12"}}'),
    echo,
    "JSON-RPC error -32000",
  ],
  ["a failed tool", answer(right.replace("}}", '},"isError":true}')), echo, "the tool failed"],
  ["too little", answer(right), { ...echo, minBytes: 1000 }, `only ${right.length} bytes`],
  [
    "too few events",
    answer(`data: {"method":"notifications/progress"}\n${right}`),
    { ...echo, events: 2 },
    "1 events instead of 2",
  ],
])("%s", (_name, response, spec, wrong) => {
  expect(wrongIn(response, 12, "t-12", spec)).toBe(wrong);
});

test("a result is read from JSON and from an event stream", () => {
  const result = { content: [{ type: "text", text: "t-12" }] };
  const stream = `event: message\ndata: {"method":"notifications/progress"}\n\nevent: message\ndata: ${right}\n\n`;
  expect([resultOf(answer(right)), resultOf(answer(stream, 200, "text/event-stream"))]).toEqual([result, result]);
  expect([resultOf(answer("no JSON")), resultOf(answer(right, 404))]).toEqual([undefined, undefined]);
});
