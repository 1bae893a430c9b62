import { expect, test } from "@jest/globals";
import { Subscriptions } from "../../../runtime/listeners/subscriptions.ts";
import type { McpTarget } from "../../../runtime/listeners/target.ts";
import type { NoticeStream } from "../../../runtime/protocol/client-session.ts";
import type { Params, RpcRequest } from "../../../runtime/protocol/json-rpc.ts";

function start() {
  const said: string[] = [];
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const costs: unknown[] = [];
  const gone: unknown[] = [];
  const subscriptions = new Subscriptions({
    onGone: (client) => gone.push(client.owner),
    maxPerCaller: 2,
    isStranger: () => false,
  });
  const service = {
    describe: async () => ({ capabilities: { resources: { subscribe: true } } }),
    timeoutFor: () => 1000,
    subscribe: async (_client: unknown, uri: string) => {
      asked.push(uri);
      await new Promise<void>((resolve) => answers.push(resolve));
    },
  };
  const access = { enter: (_method: string, _exchange: unknown, cost: number) => void costs.push(cost) };
  const stream = { send: (message: string) => said.push(message) } as unknown as NoticeStream;
  const open = (resourceSubscriptions: unknown, caller = "ann") => {
    const target = { service, server: undefined, caller, access } as unknown as McpTarget;
    const params = { notifications: { resourceSubscriptions } as Params };
    const request: RpcRequest = { jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params };
    return subscriptions.open(() => stream, target, request);
  };
  return { open, said, asked, answers, costs, gone };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));
const uris = (count: number) => Array.from({ length: count }, (_none, index) => `file:///${index}`);

test("a subscription asks for eight resources at a time, and for no more when its client has gone", async () => {
  const { open, asked, answers, costs } = start();
  const close = await open(uris(100));
  await settled();
  expect([asked.length, costs]).toEqual([8, [100]]);
  answers[0]?.();
  await settled();
  expect(asked).toEqual(uris(9));
  close();
  for (const answer of answers) answer();
  await settled();
  expect(asked.length).toBe(9);
});

test("each resource is asked for and acknowledged once", async () => {
  const { open, said, asked, costs } = start();
  await open(["a", "b", "a", 7]);
  await settled();
  expect([asked, costs]).toEqual([["a", "b"], [2]]);
  expect(JSON.parse(said[0] as string).params.notifications).toEqual({ resourceSubscriptions: ["a", "b"] });
});

test("more resources than one subscription may have are refused before anything is counted or asked", async () => {
  const { open, said, asked, costs } = start();
  await expect(open(uris(1001))).rejects.toMatchObject({
    code: "INVALID_PARAMS",
    message: 'Invalid params: "resourceSubscriptions" has 1001 URIs; send at most 1000',
  });
  await expect(open(["a".repeat(4097)])).rejects.toMatchObject({
    message: 'Invalid params: a URI of "resourceSubscriptions" has more than 4096 characters',
  });
  expect([said, asked, costs]).toEqual([[], [], []]);
});

test("a caller's subscriptions are bounded, nobody else's are touched, and a closed one makes room", async () => {
  const { open, gone } = start();
  const close = await open([]);
  await open([]);
  const text = "2 subscriptions of this caller are open; close one before you open another";
  await expect(open([])).rejects.toMatchObject({ code: "POOL_EXHAUSTED", message: text });
  await open([], "bob");
  close();
  close();
  expect(gone.length).toBe(1);
  await open([]);
  await expect(open([])).rejects.toMatchObject({ message: text });
});

test("subscriptions that open at the same time do not pass the bound together", async () => {
  const { open } = start();
  const outcomes = await Promise.allSettled([open([]), open([]), open([])]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
});
