import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ResponseReader } from "../../../../runtime/upstreams/http1/response-reader.ts";

/** Reads the parts one after another and says what came of them. */
function read(parts: readonly (string | Buffer)[], { close = false } = {}) {
  const said: unknown[] = [];
  let body = "";
  const reader = new ResponseReader();
  reader.expect({
    onResponse: (status, headers, length) => said.push([status, { ...headers }, length]),
    onData: (chunk) => {
      body += chunk.toString("latin1");
    },
    onEnd: () => said.push("end"),
  });
  for (const part of parts) reader.push(Buffer.from(part as string, "latin1"));
  const ended = close ? reader.ended() : undefined;
  return { said, body, keepAlive: reader.keepAlive, ...(close ? { ended } : {}) };
}

const counted = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 5\r\nX: a\r\nx:  b \r\n\r\nhello";
const chunked =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;name=value\r\nhello\r\nA\r\n, everyone\r\n0\r\nTrailer: 1\r\n\r\n";

test("a counted body", () => {
  expect(read([counted])).toEqual({
    said: [[200, { "content-type": "application/json", "content-length": "5", x: "a, b" }, 5], "end"],
    body: "hello",
    keepAlive: true,
  });
});

test("a chunked body, its extensions and trailers passed over", () => {
  expect(read([chunked])).toEqual({
    said: [[200, { "transfer-encoding": "chunked" }, undefined], "end"],
    body: "hello, everyone",
    keepAlive: true,
  });
});

test("a body that the end of the connection ends", () => {
  expect(read(["HTTP/1.1 200 OK\r\n\r\nab", "c"], { close: true })).toEqual({
    said: [[200, {}, undefined], "end"],
    body: "abc",
    keepAlive: false,
    ended: true,
  });
  expect(read([counted.slice(0, -1)], { close: true }).ended).toBe(false);
});

test("no body with 204, and interim responses before the one that counts", () => {
  const early = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
  expect(read([`${early}HTTP/1.1 204 No Content\r\n\r\n`])).toEqual({
    said: [[204, {}, 0], "end"],
    body: "",
    keepAlive: true,
  });
});

test.each([
  "HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 0\r\n\r\n",
  "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
])("the connection is not used again after %j", (text) => {
  expect(read([text]).keepAlive).toBe(false);
});

test("bytes behind a response do not become the answer to the next request", () => {
  const { said, body, keepAlive } = read([`${counted}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged`]);
  expect({ last: said.at(-1), body, keepAlive }).toEqual({ last: "end", body: "hello", keepAlive: false });
  const reader = new ResponseReader();
  expect(() => reader.push(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"))).toThrow(
    "the server broke HTTP/1.1: bytes came that belong to no request",
  );
});

test.each([counted, chunked])("however it is cut into parts, it reads the same", (text) => {
  const whole = read([text]);
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), text.length];
      expect(read(at.slice(1).map((end, index) => text.slice(at[index], end)))).toEqual(whole);
    }),
    { seed: 7, numRuns: 300 },
  );
});

describe("what can be read in two ways is refused", () => {
  const head = "HTTP/1.1 200 OK\r\n";
  test.each([
    [
      `${head}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n`,
      "the body's length is unclear (Transfer-Encoding: chunked)",
    ],
    [
      `${head}transfer-encoding: gzip, chunked\r\n\r\n`,
      "the body's length is unclear (Transfer-Encoding: gzip, chunked)",
    ],
    [`${head}content-length: 3\r\ncontent-length: 4\r\n\r\n`, 'Content-Length is "3, 4"'],
    [`${head}content-length: -1\r\n\r\n`, 'Content-Length is "-1"'],
    [`${head}content-length: 0x10\r\n\r\n`, 'Content-Length is "0x10"'],
    [`${head}content-length:\r\n\r\n`, 'Content-Length is ""'],
    [`${head}a : b\r\n\r\n`, "a header line of the response is malformed"],
    [`${head}a: b\r\n c\r\n\r\n`, "a header line of the response is malformed"],
    [`${head}nothing\r\n\r\n`, "a header line of the response is malformed"],
    [`${head}content-length\t: 3\r\n\r\n`, "a header line of the response is malformed"],
    [`${head}a b: c\r\n\r\n`, "a header line of the response is malformed"],
    [`${head}: c\r\n\r\n`, "a header line of the response is malformed"],
    [`${head}a: b\0\r\n\r\n`, "a header line of the response is malformed"],
    [`${head}a: b\nc: d\r\n\r\n`, "a line of the response's head does not end in CRLF"],
    [`${head}a: b\rc: d\r\n\r\n`, "a line of the response's head does not end in CRLF"],
    ["HTTP/1.1 200 OK\nc: d\r\n\r\n", "a line of the response's head does not end in CRLF"],
    ["HTTP/1.1 1e3 OK\r\n\r\n", "the answer is not HTTP/1.1"],
    ["HTTP/1.1 0x9 OK\r\n\r\n", "the answer is not HTTP/1.1"],
    ["HTTP/1.1 +20 OK\r\n\r\n", "the answer is not HTTP/1.1"],
    ["HTTP/1.1 600 OK\r\n\r\n", "the answer is not HTTP/1.1"],
    ["HTTP/1.1 103 Early\r\n\r\n".repeat(17), "more than 16 interim responses came"],
    [
      `${head}transfer-encoding: chunked\r\n\r\n0\r\n${`a: ${"b".repeat(2000)}\r\n`.repeat(40)}`,
      "the trailers exceed 65536 bytes",
    ],
    [`${head}transfer-encoding: chunked\r\n\r\n0\r\nHTTP/1.1 200 OK\r\n`, "a header line of the response is malformed"],
    ["SSH-2.0-OpenSSH\r\n\r\n", "the answer is not HTTP/1.1"],
    ["HTTP/1.1 20\r\n\r\n", "the answer is not HTTP/1.1"],
    ["HTTP/1.1 101 Switching Protocols\r\n\r\n", "the server switched protocols unasked"],
    [`${head}transfer-encoding: chunked\r\n\r\nxyz\r\n`, "a chunk's size is no hexadecimal number"],
    [`${head}transfer-encoding: chunked\r\n\r\nfffffffffffff\r\n`, "a chunk's size is no hexadecimal number"],
    [`${head}transfer-encoding: chunked\r\n\r\n1\nab`, "a chunk's line does not end in CRLF"],
    [`${head}transfer-encoding: chunked\r\n\r\n1\r\nabc\r\n`, "a chunk is longer than it said"],
    [`${head}a: ${"b".repeat(70_000)}`, "the response's head exceeds 65536 bytes"],
    [`${head}transfer-encoding: chunked\r\n\r\n1;${"x".repeat(9000)}`, "a chunk's line is too long"],
  ])("%#", (text, problem) => {
    expect(() => read([text])).toThrow(`the server broke HTTP/1.1: ${problem}`);
  });
});
