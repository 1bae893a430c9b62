import { Writable } from "node:stream";
import { expect, test } from "@jest/globals";
import { LineWriter } from "../../../runtime/upstreams/line-writer.ts";
import { settled } from "../../support/fake-connector.ts";

/** Keeps what is written, and says when, as long as the test lets it. */
class Sink extends Writable {
  readonly writes: string[] = [];
  readonly held: (() => void)[] = [];

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.writes.push(chunk.toString());
    this.held.push(() => done());
  }
}

test("the messages of one turn are one write, and each is sent when that has gone out", async () => {
  const sink = new Sink();
  const sent: string[] = [];
  const lines = new LineWriter(sink, () => {});
  lines.send("a", () => sent.push("a"));
  lines.send("b");
  lines.send("c", () => sent.push("c"));
  expect(sink.writes).toEqual([]);
  await settled();
  expect([sink.writes, sent]).toEqual([["a\nb\nc\n"], []]);
  sink.held.shift()?.();
  await settled();
  lines.send("d");
  await settled();
  expect([sink.writes, sent]).toEqual([
    ["a\nb\nc\n", "d\n"],
    ["a", "c"],
  ]);
});

test("what breaks is reported, and nothing counts as sent", async () => {
  const sink = new Sink();
  const broken: string[] = [];
  const sent: string[] = [];
  const lines = new LineWriter(sink, (error) => broken.push(error.message));
  lines.send("a", () => sent.push("a"));
  sink.destroy(new Error("the pipe broke"));
  await settled();
  await settled();
  expect([broken.slice(0, 1), sent]).toEqual([["the pipe broke"], []]);
});

test("a stream that was closed meanwhile hears nothing more", async () => {
  const sink = new Sink();
  const broken: string[] = [];
  const lines = new LineWriter(sink, (error) => broken.push(error.message));
  lines.send("a");
  sink.end();
  await settled();
  expect([sink.writes, broken]).toEqual([[], []]);
});

test("what is gathered is written before the stream is ended by whoever flushes first", async () => {
  const sink = new Sink();
  const lines = new LineWriter(sink, () => {});
  lines.send("a");
  lines.flush();
  sink.end();
  await settled();
  expect(sink.writes).toEqual(["a\n"]);
});
