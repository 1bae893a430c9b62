import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Server } from "../../runtime/config/schema/index.ts";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";

// A gateway before another one, so that the same server answers over standard streams and over Streamable HTTP.
const upTo = (requestMs: number, maxRequestMs?: number) => ({
  timeouts: { requestMs, resetOnProgress: true, ...(maxRequestMs === undefined ? {} : { maxRequestMs }) },
});
let inner: TestGateway;
let outer: TestGateway;

beforeAll(async () => {
  inner = await TestGateway.start({
    servers: {
      patient: statefulServer(),
      reset: statefulServer(upTo(2000)),
      bounded: statefulServer(upTo(2000, 3000)),
      plain: statefulServer({ timeouts: { requestMs: 2000 } }),
    },
  });
  const behind = (more: Partial<Server>): Server => ({
    type: "custom",
    endpoints: [`${inner.url}/mcp/patient`],
    ...more,
  });
  outer = await TestGateway.start({
    servers: {
      reset: behind(upTo(2000)),
      bounded: behind(upTo(2000, 3000)),
      plain: behind({ timeouts: { requestMs: 2000 } }),
    },
  });
});
afterAll(async () => {
  await outer.close();
  await inner.close();
});

const slow = { name: "slow", arguments: { steps: 5, ms: 900 } };

test.concurrent.each([
  ["standard streams", () => inner],
  ["Streamable HTTP", () => outer],
])("over %s a call that makes progress outlives requestMs, up to maxRequestMs", async (_transport, at) => {
  const call = async (server: string) => {
    const client = await at().connect(`/mcp/${server}`);
    await say(client, "count");
    return client.callTool(slow, { onprogress: () => {} }).catch((error: Error) => error.message);
  };
  const [reset, bounded, plain] = await Promise.all(["reset", "bounded", "plain"].map(call));
  expect(reset).toMatchObject({ content: [{ type: "text", text: '{"steps":5}' }] });
  const fix = "of this server, or ask for less in one call";
  expect(bounded).toBe(`bounded: progress, but no answer within 3000 ms; raise timeouts.maxRequestMs ${fix}`);
  expect(plain).toBe(`plain: no answer within 2000 ms; raise timeouts.requestMs ${fix}`);
});
