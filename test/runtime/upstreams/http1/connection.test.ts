import { expect, test } from "@jest/globals";
import { HttpConnection, type Requester, sharedReads } from "../../../../runtime/upstreams/http1/connection.ts";
import { floodBytes, labour, startFlood, TurnCount } from "../../../support/flood.ts";

test("a server that floods an answer with events lets others be served between two pieces", async () => {
  const flood = await startFlood();
  const free = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const url = new URL(`http://127.0.0.1:${flood.port}`);
  const connection = new HttpConnection(
    { url, connectMs: 5000, onFree: () => free.resolve(), onClosed: () => {} },
    sharedReads(),
  );
  await free.promise;
  const turns = new TurnCount();
  let bytes = 0;
  const requester: Requester = {
    onSent: () => {},
    onResponse: () => {},
    onData: ({ length }) => {
      bytes += length;
      turns.one();
      labour();
    },
    onEnd: () => over.resolve(),
    onError: (error) => over.reject(error),
  };
  connection.send("GET / HTTP/1.1\r\n", undefined, requester);
  await over.promise;
  turns.stop();
  connection.close();
  await flood.close();

  expect([bytes, turns.most]).toEqual([floodBytes, 1]);
});
