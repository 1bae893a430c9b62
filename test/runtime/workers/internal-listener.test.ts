import { mkdtempSync, rmSync } from "node:fs";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ByteBudget } from "../../../runtime/listeners/byte-budget.ts";
import { InternalListener } from "../../../runtime/workers/internal-listener.ts";

let folder: string;
let socketPath: string;
let listener: InternalListener;
let agent: Agent;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "internal-listener-"));
  socketPath = join(folder, "worker.sock");
  agent = new Agent({ keepAlive: true });
  listener = await InternalListener.start(socketPath, new ByteBudget(1_000_000), {
    status: () => "status",
    metrics: async () => [],
    operate: () => undefined,
    forwarded: (_request, response) => void response.end("answer"),
  });
});
afterEach(() => {
  agent.destroy();
  rmSync(folder, { recursive: true });
});

const forward = (): Promise<{ answer: string; connection: IncomingHttpHeaders["connection"] }> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath, method: "POST", path: "/mcp", agent }, async (response) => {
      resolve({ answer: await text(response), connection: response.headers.connection });
    });
    asked.on("error", reject).end("{}");
  });

test("a call that another worker is just forwarding to one that ends is answered", async () => {
  expect(await forward()).toEqual({ answer: "answer", connection: "keep-alive" });
  // Until the connection is the agent's again.
  await new Promise((resolve) => setImmediate(resolve));
  const ended = listener.close(60_000);
  expect(await forward()).toEqual({ answer: "answer", connection: "close" });
  await ended;
  await expect(forward()).rejects.toMatchObject({ code: expect.stringMatching(/^(ENOENT|ECONNREFUSED)$/) });
});

test("idle connections of workers that stay hold up none that ends", async () => {
  await forward();
  // Its own time is longer than a test has.
  await listener.close(60_000);
  await expect(forward()).rejects.toMatchObject({
    code: expect.stringMatching(/^E(NOENT|CONNREFUSED|CONNRESET|PIPE)$/),
  });
});
