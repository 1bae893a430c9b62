import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, test } from "@jest/globals";
import { Replay } from "../../../runtime/listeners/replay.ts";
import type { ClientSession } from "../../../runtime/protocol/client-session.ts";

/** A response that keeps what is written. */
class Written extends EventEmitter {
  text = "";
  destroyed = false;
  writableEnded = false;
  writableLength = 0;
  writeHead(): void {}
  flushHeaders(): void {}
  write(text: string): void {
    this.text += text;
  }
  end(): void {
    this.writableEnded = true;
  }
}
const session = { claims: { id: "session" } } as ClientSession;
const response = () => new Written();
const as = (written: Written) => written as unknown as ServerResponse;
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("what is kept of all streams together is bounded: the one used least recently cannot be resumed", async () => {
  const replay = new Replay(1000);
  const readers = [response(), response(), response()];
  const streams = readers.map((reader) => replay.open(session, as(reader)));
  for (const stream of streams) for (let count = 0; count < 4; count += 1) stream.send("x".repeat(100));
  await settled();
  expect(replay.bytes).toBe(800);
  const ids = readers.map(({ text }) => /id: (\S+)\.1\n/.exec(text)?.[1] as string);
  const resumed = ids.map((id) => replay.resume(session, `${id}.1`, as(response())) !== undefined);
  expect(resumed).toEqual([false, true, true]);
  // Its reader goes on all the same.
  streams[0]?.send("more");
  await settled();
  expect([readers[0]?.text.includes("data: more"), replay.bytes]).toEqual([true, 800]);
});

test("of one stream the latest hundred messages are kept, and no more than a quarter of a megabyte", async () => {
  const replay = new Replay();
  const stream = replay.open(session, as(response()));
  for (let count = 0; count < 150; count += 1) stream.send("1234567890");
  expect(replay.bytes).toBe(1000);
  stream.send("x".repeat(300_000));
  expect(replay.bytes).toBe(0);
});

test("a caller's flood of streams takes nothing from another caller, whose stream can still be resumed", async () => {
  const of = (caller: string) => ({ claims: { id: `session of ${caller}`, caller } }) as ClientSession;
  const [alice, bob] = [of("alice"), of("bob")];
  const idsOf = ({ text }: Written) => /id: (\S+)\n/.exec(text)?.[1] as string;
  const replay = new Replay(10_000);
  const mine = response();
  replay.open(bob, as(mine)).send("bob's");
  const theirs = response();
  replay.open(alice, as(theirs)).send("alice's first");
  for (let count = 0; count < 1100; count += 1) replay.open(alice, as(response())).send("x");
  const last = replay.open(alice, as(response()));
  for (let count = 0; count < 90; count += 1) last.send("x".repeat(200));
  await settled();
  expect([replay.kept.size, replay.bytes]).toEqual([1, 5]);
  expect(replay.resume(alice, idsOf(theirs), as(response()))).toBeUndefined();
  expect(replay.resume(bob, idsOf(mine), as(response()))).toBeDefined();
});
