import { expect, test } from "@jest/globals";
import { LineReader, maxLineBytes } from "../../../runtime/upstreams/line-reader.ts";

test("lines come out whole, however they were cut, even inside a character", () => {
  const bytes = Buffer.from('{"a":"é"}\n\r\n{"b":2}\r\nrest');
  for (let size = 1; size <= bytes.length; size += 1) {
    const lines: string[] = [];
    const reader = new LineReader(
      (line) => lines.push(line),
      () => {},
    );
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    expect(lines).toEqual(['{"a":"é"}', '{"b":2}']);
  }
});

test("a line without an end is given up at the bound", () => {
  const problems: string[] = [];
  const lines: string[] = [];
  const reader = new LineReader(
    (line) => lines.push(line),
    (problem) => problems.push(problem),
  );
  const chunk = Buffer.alloc(8 * 1024 * 1024, "x");
  for (let size = 0; size <= maxLineBytes; size += chunk.length) reader.push(chunk);
  expect(problems).toEqual([`a line of the server exceeds ${maxLineBytes} bytes`]);
  reader.push(Buffer.from("\nnext\n"));
  expect(lines).toEqual(["next"]);
});

test("a line that is no UTF-8 is left out, and told", () => {
  const lines: string[] = [];
  let invalid = 0;
  const reader = new LineReader(
    (line) => lines.push(line),
    () => {},
    () => {
      invalid += 1;
    },
  );
  reader.push(Buffer.from([0x61, 0xff, 10, 0xc3]));
  reader.push(Buffer.from([0xa9, 10]));
  expect([lines, invalid]).toEqual([["é"], 1]);
});
