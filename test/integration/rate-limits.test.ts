import { afterEach, describe, expect, test } from "@jest/globals";
import { request } from "undici";
import type { Gateway, Server } from "../../runtime/config/schema/index.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";

let it: TestGateway;
afterEach(() => it.close());

const start = async (gateway: Partial<Gateway>, server: Partial<Server> = {}) => {
  const bearerTokens = ["ann", "bob"].map((name) => ({ name, token: `${name}-token` }));
  it = await TestGateway.start({
    gateway: { auth: { bearerTokens }, ...gateway },
    servers: { notes: statefulServer({ isolation: "shared", ...server }), files: statefulServer() },
  });
};

/** One stateless call over HTTP. */
async function call(caller: string, path: string, method: string, params: Record<string, unknown> = {}) {
  const name = typeof params.name === "string" ? { "mcp-name": params.name } : {};
  const answer = await request(`${it.url}${path}`, {
    method: "POST",
    headers: {
      ...{ "content-type": "application/json", accept: "application/json", authorization: `Bearer ${caller}-token` },
      ...{ "mcp-protocol-version": "2026-07-28", "mcp-method": method, ...name },
    },
    body: JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1, method },
      params: {
        ...params,
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
  });
  const { error } = (await answer.body.json()) as { error?: { message: string; data: { code: string } } };
  const { headers, statusCode: status } = answer;
  const limit = Object.entries(headers).filter(([key]) => key.startsWith("ratelimit") || key === "retry-after");
  return { status, code: error?.data.code, message: error?.message, headers: Object.fromEntries(limit) };
}
const count = { name: "count", arguments: {} };

test("all that a caller asks for is counted, lists too; others are not touched; headers tell how one stands", async () => {
  await start({ rateLimiting: { caller: { windowMs: 60_000, maxRequests: 3 } } });
  const policy = { "ratelimit-limit": "3", "ratelimit-policy": "3;w=60", "ratelimit-reset": "60" };
  expect(await call("ann", "/mcp", "tools/list")).toMatchObject({
    ...{ status: 200, headers: { ...policy, "ratelimit-remaining": "2" } },
  });
  expect(await call("ann", "/mcp/notes", "tools/call", count)).toMatchObject({
    ...{ status: 200, headers: { "ratelimit-remaining": "1" } },
  });
  expect(await call("ann", "/mcp/files", "tools/list")).toMatchObject({ status: 200 });
  const { headers, ...refused } = await call("ann", "/mcp/notes", "tools/call", count);
  expect(refused).toMatchObject({ status: 429, code: "RATE_LIMITED" });
  expect(refused.message).toMatch(/^Too many requests: the limit of this caller is reached; come back in (59|60) s$/);
  expect(headers).toMatchObject({ "ratelimit-remaining": "0", "retry-after": expect.stringMatching(/^(59|60)$/) });
  expect(await call("bob", "/mcp/notes", "tools/call", count)).toMatchObject({ status: 200 });
});

describe("a server is flooded", () => {
  test.each([true, false])("with limits: %s", async (control) => {
    await start(
      {},
      control ? { rateLimiting: { windowMs: 60_000, maxRequests: 10, perCaller: { maxRequests: 6 } } } : {},
    );
    const outcomes = { ann: 0, bob: 0 };
    for (let round = 0; round < 10; round += 1) {
      for (const caller of ["ann", "bob"] as const) {
        const { status } = await call(caller, "/mcp/notes", "tools/call", count);
        if (status === 200) outcomes[caller] += 1;
      }
    }
    expect(outcomes).toEqual(control ? { ann: 5, bob: 5 } : { ann: 10, bob: 10 });
    // Other servers go on.
    expect(await call("ann", "/mcp/files", "tools/call", count)).toMatchObject({ status: 200 });
  });
});

test("one tool has a bucket with a burst, the others none; REST is told the same", async () => {
  await start({}, { rateLimiting: { tools: { count: { windowMs: 60_000, maxRequests: 1, burst: 2 } } } });
  const statuses: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    statuses.push((await call("ann", "/mcp/notes", "tools/call", count)).status);
  }
  expect(statuses).toEqual([200, 200, 429]);
  expect(await call("ann", "/mcp/notes", "tools/call", { name: "where", arguments: {} })).toMatchObject({
    status: 200,
  });
  const rest = await request(`${it.url}/api/v1/servers/notes/tools/count`, {
    ...{
      method: "POST",
      headers: { authorization: "Bearer bob-token", "content-type": "application/json" },
      body: "{}",
    },
  });
  expect([rest.statusCode, rest.headers["retry-after"]]).toEqual([429, expect.stringMatching(/^(59|60)$/)]);
  await rest.body.dump();
});

test("calls in flight are capped, and room comes back when one ends or fails", async () => {
  await start({}, { rateLimiting: { concurrency: 2 } });
  const slow = { name: "slow", arguments: { steps: 1, ms: 300 } };
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => call("ann", "/mcp/notes", "tools/call", slow)));
  expect([first, second, third].map((one) => one?.status).sort()).toEqual([200, 200, 429]);
  expect([first, second, third].find((one) => one?.status === 429)).toMatchObject({
    message: "Too many requests: 2 calls of this server are in flight",
    headers: { "retry-after": "1" },
  });
  for (let round = 0; round < 4; round += 1) {
    expect((await call("ann", "/mcp/notes", "tools/call", { name: "crash", arguments: {} })).status).not.toBe(429);
  }
  expect((await call("ann", "/mcp/notes", "tools/call", count)).status).toBe(200);
});
