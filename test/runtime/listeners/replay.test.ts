import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, test } from "@jest/globals";
import { Replay } from "../../../runtime/listeners/replay.ts";
import { ClientSession } from "../../../runtime/protocol/client-session.ts";
import type { SessionClaims } from "../../../runtime/protocol/sealed-session.ts";

/** A response that takes everything. */
class Response extends EventEmitter {
  text = "";
  writableLength = 0;
  destroyed = false;
  writeHead(): void {}
  flushHeaders(): void {}
  end(): void {}
  write(chunk: string): void {
    this.text += chunk;
  }
  get ids(): string[] {
    return [...this.text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id as string);
  }
}
const session = (id: string) => new ClientSession({ id } as SessionClaims);
const response = () => new Response() as Response & ServerResponse;
const turn = () => new Promise(setImmediate);

test("of a stream the last hundred messages are kept, or the last 256 KiB", async () => {
  const replay = new Replay();
  const first = response();
  const stream = replay.open(session("anna"), first);
  const resumed = async () => {
    const again = response();
    replay.resume(session("anna"), `${first.ids[0]?.split(".")[0]}.0`, again);
    await turn();
    return again.ids.length;
  };
  for (let at = 0; at < 250; at += 1) stream.send("small");
  await turn();
  expect([first.ids.length, await resumed()]).toEqual([250, 100]);
  for (let at = 0; at < 5; at += 1) stream.send("x".repeat(100_000));
  expect(await resumed()).toBe(2);
  stream.send("x".repeat(300_000));
  expect(await resumed()).toBe(0);
});

test("a thousand streams are kept; the one that was used longest ago cannot be resumed", async () => {
  const replay = new Replay();
  const responses = Array.from({ length: 1025 }, () => response());
  for (const [at, one] of responses.entries()) replay.open(session(`s${at}`), one).send("hello");
  await turn();
  expect(replay.kept).toEqual({ size: 1024, max: 1024 });
  const resume = (at: number) => replay.resume(session(`s${at}`), String(responses[at]?.ids[0]), response());
  expect([resume(0), resume(1)?.attached, resume(1024)?.attached]).toEqual([undefined, true, true]);
});
