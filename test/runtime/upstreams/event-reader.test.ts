import { expect, test } from "@jest/globals";
import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { EventReader, maxEventBytes } from "../../../runtime/upstreams/event-reader.ts";

function read(text: string | Buffer, pieces: number) {
  const seen: unknown[] = [];
  const reader = new EventReader({
    onEvent: (event) => seen.push(event),
    onRetry: (ms) => seen.push(ms),
    onBroken: (problem) => seen.push(problem),
  });
  const bytes = Buffer.from(text as string);
  for (let at = 0; at < bytes.length; at += pieces) {
    // The memory of a chunk is used again.
    const chunk = Buffer.from(bytes.subarray(at, at + pieces));
    reader.push(chunk);
    chunk.fill(0);
  }
  return seen;
}

const message = (data: string, id?: string, event?: string) => ({ event, id, data });

test.each([1, 2, 3, 1000])("events in pieces of %d bytes", (pieces) => {
  expect(read("\ufeffdata: ä\n\n", pieces)).toEqual([message("ä")]);
  expect(read("data:a\r\ndata:  b\r\n\r\ndata\r\n\r\n", pieces)).toEqual([message("a\n b"), message("")]);
  expect(read("data: a\rid: 7\r\rdata: b\r\r", pieces)).toEqual([message("a", "7"), message("b")]);
  expect(read(": quiet\n\nid: 1\0\nevent: ping\ndata: x\n\n", pieces)).toEqual([message("x", undefined, "ping")]);
  expect(read("retry: 50\nretry: soon\ndata: x\n\n", pieces)).toEqual([50, message("x")]);
  expect(read("event: none\n\nid: 5\n\ndata: unfinished\n", pieces)).toEqual([]);
});

test("what eventsource-parser reads", () => {
  const line = fc.oneof(
    fc.stringMatching(/^(data|event|id|retry|x)(: ?[a-zä0-9:]{0,9})?$/),
    fc.constantFrom("", "", ": comment", "data: {}"),
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 40 }),
      fc.constantFrom("\n", "\r\n"),
      fc.integer({ min: 1, max: 20 }),
      (lines, end, pieces) => {
        const text = `${lines.join(end)}${end}${end}`;
        const expected: unknown[] = [];
        const parser = createParser({ onEvent: ({ event, id, data }) => expected.push({ event, id, data }) });
        parser.feed(text);
        const seen = read(text, pieces).filter((one) => typeof one === "object");
        expect(seen.map((one) => ({ event: undefined, id: undefined, ...(one as object) }))).toEqual(
          expected.map((one) => ({ event: undefined, id: undefined, ...(one as object) })),
        );
      },
    ),
    { seed: 19, numRuns: 300 },
  );
});

test.each([
  ["one line", Buffer.alloc(1024 * 1024, "x"), "data: "],
  ["many lines", Buffer.from("data: x\n".repeat(128 * 1024)), ""],
])("an event of %s that never ends is given up at its bound, in linear time", (_what, chunk, start) => {
  const seen: unknown[] = [];
  const reader = new EventReader({ onEvent: (event) => seen.push(event), onBroken: (problem) => seen.push(problem) });
  reader.push(Buffer.from(start));
  for (let size = 0; size <= maxEventBytes + chunk.length; size += chunk.length) reader.push(chunk);
  reader.push(Buffer.from("\n\ndata: after\n\n"));
  expect(seen).toEqual([`an event of the server exceeds ${maxEventBytes} bytes`]);
});
