import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { request } from "undici";
import { LegacySse, type LegacySseOptions } from "../../../runtime/listeners/legacy-sse.ts";
import type { McpTarget } from "../../../runtime/listeners/target.ts";

let server: Server;
let url: string;
const ending: (() => void)[] = [];
beforeEach(async () => {
  const session = { claims: { revision: "2024-11-05" }, streams: new Set(), calls: [] };
  const calls = {
    sessions: { end: () => {} },
    open: async () => ({ answer: "{}", id: "sealed", session }),
    call: () => new Promise((resolve) => ending.push(() => resolve({ result: {} }))),
  };
  const sse = new LegacySse({ calls, maxBodyBytes: 1000, log: { error: () => {} } } as unknown as LegacySseOptions);
  server = createServer((asked, answer) => {
    if (asked.url === "/sse") sse.open(asked, answer, { caller: "ann" } as McpTarget);
    else {
      sse.receive(asked, answer, "ann").catch(({ kind, headers }) => answer.writeHead(kind.status, headers).end());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test("a client with 256 calls in flight and one that waits is told to come back, and served when one has ended", async () => {
  const { body } = await request(`${url}/sse`);
  let path = "";
  body.on("error", () => {});
  body.on("data", (chunk) => {
    path ||= /data: (\/messages\S+)/.exec(String(chunk))?.[1] ?? "";
  });
  while (path === "") await new Promise((resolve) => setImmediate(resolve));
  const post = async (method: string, id: number) => {
    const answer = await request(url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id, method }),
    });
    await answer.body.dump();
    return [answer.statusCode, answer.headers["retry-after"]];
  };
  expect(await post("initialize", 0)).toEqual([202, undefined]);
  for (let id = 1; id <= 257; id += 1) expect(await post("tools/list", id)).toEqual([202, undefined]);
  expect(ending.length).toBe(256);
  expect(await post("tools/list", 258)).toEqual([503, "1"]);
  ending.shift()?.();
  while (ending.length < 256) await new Promise((resolve) => setImmediate(resolve));
  expect(await post("tools/list", 259)).toEqual([202, undefined]);
  body.destroy();
});
