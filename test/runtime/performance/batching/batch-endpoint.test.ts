import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { BatchEndpoint } from "../../../../runtime/performance/batching/index.ts";
import type { RpcReply } from "../../../../runtime/protocol/json-rpc.ts";

/** What the server answers to the ids of a batch. */
let answer: (ids: readonly number[]) => Response;
let renewed: number;
let endpoint: BatchEndpoint;
beforeEach(() => {
  renewed = 0;
  const connections = {
    fetch: async (_url: unknown, init?: RequestInit) => {
      const sent = JSON.parse(init?.body as string) as { id: number }[] | { id: number };
      return answer((Array.isArray(sent) ? sent : [sent]).map(({ id }) => id));
    },
    renew: () => {
      renewed += 1;
    },
  };
  endpoint = new BatchEndpoint({ name: "docs", url: "http://docs/mcp", compressFrom: undefined, connections });
});
afterEach(() => endpoint.close());

const result = (id: unknown, text: string) => `{"jsonrpc":"2.0","id":${id},"result":{"text":"${text}"}}`;
const json = (body: string) => new Response(body, { headers: { "content-type": "application/json" } });
const events = (...data: string[]) =>
  new Response(data.map((one) => `data: ${one}\n\n`).join(""), { headers: { "content-type": "text/event-stream" } });

/** Sends two calls; of each what came of it. */
async function send(): Promise<unknown[]> {
  const outcomes: unknown[] = [];
  const call = (at: number) => ({
    method: "tools/call",
    params: { name: "echo" },
    timeoutMs: 1000,
    resolve: (reply: RpcReply) => {
      outcomes[at] = reply;
    },
    reject: (error: unknown) => {
      const { code, message } = error as { code: string; message: string };
      outcomes[at] = `${code} ${message}`;
    },
  });
  await endpoint.send([call(0), call(1)]);
  return outcomes;
}

test.each([
  ["in any order", (ids: readonly number[]) => json(`[${result(ids[1], "two")}, ${result(ids[0], "one")}]`)],
  ["as events", (ids: readonly number[]) => events(`[${result(ids[1], "two")}]`, "", result(ids[0], "one"))],
])("each call of a batch has the answer with its id: %s", async (_how, server) => {
  answer = server;
  expect(await send()).toEqual([{ result: { text: "one" } }, { result: { text: "two" } }]);
  expect(renewed).toBe(0);
});

const wrong =
  "UPSTREAM_PROTOCOL docs: http://docs/mcp answered no JSON-RPC: an answer is to no request of the batch, or the second";
test.each<[string, (ids: readonly number[]) => Response]>([
  [
    "a doubled answer",
    (ids) => json(`[${result(ids[0], "one")},${result(ids[0], "smuggled")},${result(ids[1], "two")}]`),
  ],
  ["a doubled event", (ids) => events(result(ids[0], "one"), result(ids[1], "two"), result(ids[1], "smuggled"))],
  [
    "an answer to another batch",
    (ids) => json(`[${result(ids[0], "one")},${result(1 + (ids[1] as number), "other")}]`),
  ],
  ["an id of another form", (ids) => json(`[${result(ids[0], "one")},${result(`${ids[1]}.0`, "two")}]`)],
  ["an id in quotes", (ids) => json(`[${result(ids[0], "one")},${result(`"${ids[1]}"`, "two")}]`)],
  ["two ids", (ids) => json(`[${result(ids[0], "one")},${result(`7,"id":${ids[1]}`, "two")}]`)],
])("%s fails the whole batch, and its connections are given up", async (_what, server) => {
  answer = server;
  expect(await send()).toEqual([wrong, wrong]);
  expect(renewed).toBe(1);
});

test("a call that the server leaves out fails alone, and connections are given up: its answer may come yet", async () => {
  answer = (ids) => json(`[${result(ids[1], "two")}]`);
  const left = "UPSTREAM_PROTOCOL docs: http://docs/mcp has left a call of the batch without an answer";
  expect(await send()).toEqual([left, { result: { text: "two" } }]);
  expect(renewed).toBe(1);
});

test("words of the server that are no answer are not shown: they could be about somebody else", async () => {
  answer = () => json("alice's secret");
  const none = "UPSTREAM_PROTOCOL docs: http://docs/mcp answered no JSON-RPC: it is not JSON";
  expect(await send()).toEqual([none, none]);
  answer = () => new Response("alice's secret", { status: 500 });
  const failed = "UPSTREAM_PROTOCOL docs: http://docs/mcp answered HTTP 500";
  expect(await send()).toEqual([failed, failed]);
});

test("an answer without end is given up at its bound", async () => {
  let pulled = 0;
  const chunk = new Uint8Array(4 * 1024 * 1024);
  answer = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => {
          pulled += 1;
          controller.enqueue(chunk);
        },
      }),
    );
  const text = "UPSTREAM_PROTOCOL docs: http://docs/mcp answered with more than 67108864 bytes";
  expect(await send()).toEqual([text, text]);
  expect(pulled).toBeLessThan(20);
});

test.each(["as JSON", "as events"])(
  "a batch answered with more values than can be read fails whole, %s",
  async (how) => {
    const heavy = (id: unknown) => `{"jsonrpc":"2.0","id":${id},"result":{"a":[${"[],".repeat(70_000)}[]]}}`;
    answer = (ids) => (how === "as JSON" ? json(`[${ids.map(heavy).join()}]`) : events(...ids.map(heavy)));
    const why =
      "UPSTREAM_PROTOCOL docs: http://docs/mcp answered no JSON-RPC: the answers have more than 250000 values";
    expect(await send()).toEqual([why, why]);
    expect(renewed).toBe(1);
  },
);
