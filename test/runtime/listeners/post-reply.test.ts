import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "@jest/globals";
import { PostReply } from "../../../runtime/listeners/post-reply.ts";
import { takeBytesApart } from "../../../runtime/protocol/raw-reply.ts";

/** More than the operating system keeps for a client that does not read. */
const bytes = 64 * 1024 * 1024;

/** Sends one large result to a client that only reads when it is told to. */
async function send(
  leave: boolean,
): Promise<{ readonly before: number; readonly after: number; readonly got: number }> {
  let released = 0;
  const closed = Promise.withResolvers<void>();
  const body = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":"${"x".repeat(bytes)}"}`);
  const reply = takeBytesApart(body, 1, () => {
    released += 1;
  });
  const server = createServer((_request, response) => {
    response.on("close", closed.resolve);
    new PostReply(response, undefined).end("client's", reply ?? { result: "not apart" });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const response = await new Promise<import("node:http").IncomingMessage>((resolve) => {
    request({ port, host: "127.0.0.1", agent: false }, resolve).end();
  });
  const before = released;
  let got = 0;
  if (leave) response.destroy();
  else for await (const chunk of response) got += (chunk as Buffer).length;
  await closed.promise;
  server.close();
  return { before, after: released, got };
}

test("the memory of a large result is given back when the last byte has gone, once", async () => {
  const head = '{"jsonrpc":"2.0","id":"client\'s","result":"';
  expect(await send(false)).toEqual({ before: 0, after: 1, got: head.length + bytes + '"}'.length });
}, 60_000);

test("a client that goes away half-way: its memory is never used again, as bytes of it may still be on their way", async () => {
  expect(await send(true)).toEqual({ before: 0, after: 0, got: 0 });
}, 60_000);
