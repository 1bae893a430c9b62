import { expect, test } from "@jest/globals";
import { Subscriptions } from "../../../runtime/listeners/subscriptions.ts";
import type { McpTarget } from "../../../runtime/listeners/target.ts";

const service = { describe: async () => ({ capabilities: {} }) };
const target = (caller: string) => ({ caller, server: undefined, service }) as unknown as McpTarget;
const stream = () => ({ attached: true, send: () => {}, keepAlive: () => {}, end: () => {} });
const listen = { jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params: { notifications: {} } } as const;

test("a caller has so many subscriptions open and no more; nobody else is held up", async () => {
  const subscriptions = new Subscriptions({ onGone: () => {}, maxPerCaller: 2 });
  const close = await subscriptions.open(stream, target("anna"), listen);
  await subscriptions.open(stream, target("anna"), listen);
  await expect(subscriptions.open(stream, target("anna"), listen)).rejects.toMatchObject({
    code: "POOL_EXHAUSTED",
    message: "2 subscriptions of this caller are open; close one before you open another",
  });
  await subscriptions.open(stream, target("bert"), listen);
  expect(subscriptions.fullest).toEqual({ size: 2, max: 2 });
  close();
  expect(subscriptions.fullest).toEqual({ size: 1, max: 2 });
  await subscriptions.open(stream, target("anna"), listen);
});
