import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { FaultInstance } from "../support/fault-instance.ts";
import { Serving } from "../support/serving.ts";
import { PlainClient } from "../support/steady-load.ts";

// A real gateway of two processes writes for CloudWatch what its clients do.
let instance: FaultInstance;
let serving: Serving;
beforeAll(async () => {
  instance = await FaultInstance.start();
  serving = await Serving.start(
    {
      gateway: { workers: 2, log: { level: "info" }, metricsLog: { namespace: "shop/mcp.example.com", seconds: 1 } },
      servers: { echo: { type: "custom", isolation: "shared", endpoints: [instance.url] } },
    },
    "workers serve",
  );
});
afterAll(async () => {
  const code = await serving?.stop();
  await instance.kill();
  expect(code).toBe(0);
});

test("every call is told once, whichever process it went through", async () => {
  // Iterated from here on: lines that come before anybody iterates are lost.
  const lines = createInterface({ input: serving.child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const clients = await Promise.all(Array.from({ length: 6 }, () => PlainClient.open(`${serving.url}/mcp/echo`)));
  for (const client of clients) for (let call = 0; call < 5; call += 1) await client.call("read");
  const metered = await serving.counter("mcp_request_total", /server="echo"/);
  let [told, sessions] = [0, 0];
  for await (const line of lines) {
    const { _aws, server, ...figures } = JSON.parse(line);
    const [{ Namespace, Metrics }] = _aws.CloudWatchMetrics;
    expect(Namespace).toBe("shop/mcp.example.com");
    expect(Metrics.map(({ Name }: { Name: string }) => Name)).toEqual(Object.keys(figures));
    if (server === undefined) sessions = figures.mcp_sessions_max;
    else told += figures.mcp_request_total;
    if (told >= metered && sessions > 0) break;
  }
  expect(metered).toBeGreaterThanOrEqual(30);
  expect(told).toBe(metered);
});
