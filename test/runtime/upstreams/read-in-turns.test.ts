import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { readInTurns } from "../../../runtime/upstreams/read-in-turns.ts";
import { openWebSocket } from "../../../runtime/upstreams/web-socket-link.ts";
import { floodMessages, labour, startFlood, TurnCount } from "../../support/flood.ts";

const full = Buffer.alloc(64 * 1024);

test("a server that floods lets others be served between two pieces", async () => {
  const stream = new PassThrough({ highWaterMark: 64 * full.length });
  const seen: string[] = [];
  readInTurns(stream, () => {
    seen.push("piece");
    labour();
  });
  for (let piece = 0; piece < 4; piece += 1) stream.write(full);
  while (seen.filter((one) => one === "piece").length < 4) {
    await turn();
    seen.push("others");
  }
  // The first one comes while it is written, the second one before the turn that was waited for ends.
  expect(seen.join()).not.toContain("piece,piece,piece");
});

test("a stream that is held back is not resumed by its own turns, and loses nothing", async () => {
  const stream = new PassThrough({ highWaterMark: 64 * full.length });
  let pieces = 0;
  const flow = readInTurns(stream, () => {
    pieces += 1;
    labour();
    if (pieces === 2) flow.pause();
  });
  for (let piece = 0; piece < 3; piece += 1) stream.write(full);
  while (pieces < 2) await turn();
  for (let turns = 0; turns < 10; turns += 1) await turn();
  expect(pieces).toBe(2);
  flow.resume();
  while (pieces < 3) await turn();
  expect(pieces).toBe(3);
});

test("pieces that are quickly read are read one after the other", async () => {
  const stream = new PassThrough({ highWaterMark: 64 * full.length });
  const seen: string[] = [];
  readInTurns(stream, () => seen.push("piece"));
  for (let piece = 0; piece < 3; piece += 1) stream.write(full);
  await turn();
  expect(seen).toEqual(["piece", "piece", "piece"]);
});

test("a server that floods a WebSocket with tiny messages lets others be served between two pieces", async () => {
  const flood = await startFlood();
  const turns = new TurnCount();
  const all = Promise.withResolvers<void>();
  let messages = 0;
  const link = await openWebSocket(new URL(`ws://127.0.0.1:${flood.port}`), 5000, () => {
    turns.one();
    messages += 1;
    if (messages % 4096 === 0) labour();
    if (messages === floodMessages) all.resolve();
  });
  await all.promise;
  turns.stop();
  await link.abort();
  await flood.close();
  // A piece that fills no read (32 KiB), and one that does (64 KiB), with a message that began before.
  expect(turns.most).toBeLessThanOrEqual(24 * 1024 + 1);
});
