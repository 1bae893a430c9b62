import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Validator } from "@seriousme/openapi-schema-validator";
import { request } from "undici";
import { say, TestGateway } from "../support/gateway.ts";

const root = join(import.meta.dirname, "../..");
const entry = join(root, "runtime/cli/main.ts");
const fixture = join(root, "test/fixtures/stateful-server.ts");
const folder = mkdtempSync(join(tmpdir(), "host-test-"));
let child: ChildProcess;
let url: string;
let log = "";

beforeAll(async () => {
  child = spawn(
    process.execPath,
    [entry, "host", "--port", "0", "--name", "stateful", "--", process.execPath, fixture],
    {
      env: { ...process.env, MCP_SERVER: "isolation: session\nscaling: { maxInstances: 20 }" },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  url = await new Promise((resolve) => {
    child.stderr?.on("data", (chunk) => {
      log += chunk;
      const found = /"url":"(http[^"]+)"/.exec(log)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  while ((await request(`${url}/ready`)).statusCode !== 200);
});
afterAll(() => {
  child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

const get = async (path: string) => (await request(`${url}${path}`)).body.json() as Promise<Record<string, unknown>>;
async function post(path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const headers = { "content-type": "application/json" };
  const answer = await request(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.body.text();
  return { status: answer.statusCode, body: text === "" ? undefined : JSON.parse(text) };
}
const call = (id: number, name: string) => ({ jsonrpc: "2.0", id, method: "tools/call", params: { name } });
const said = (count: number) => ({ content: [{ type: "text", text: expect.stringContaining(`{"count":${count},`) }] });

test.each(["legacy", "auto"] as const)("/mcp is the server by its own names (%s)", async (mode) => {
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url)));
  expect(client.getServerVersion()).toMatchObject({ name: "stateful", version: "1.2.3" });
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["count", "crash", "slow", "where"]);
  expect(await say(client, "count")).toMatchObject({ count: 1 });
  await client.close();
});

test.each(["legacy", "auto"] as const)(
  "clients of a gateway in front of it never meet in one process (%s)",
  async (mode) => {
    const gateway = await TestGateway.start({ servers: { notes: { type: "custom", endpoints: [`${url}/mcp`] } } });
    const counts: unknown[] = [];
    for (const name of ["first", "second"]) {
      const client = new Client({ name, version: "1.0.0" }, { versionNegotiation: { mode } });
      await client.connect(new StreamableHTTPClientTransport(new URL("/mcp/notes", gateway.url)));
      counts.push(await say(client, "count"));
      await client.close();
    }
    await gateway.close();
    // Callers of the stateless era have no session of their own, and without authentication both are one caller.
    const second = mode === "legacy" ? 1 : 2;
    expect(counts).toMatchObject([{ count: 1 }, { count: second }]);
  },
);

test("a batch answers in order, shares one session, and leaves out notifications", async () => {
  const { status, body } = await post("/batch", [
    call(1, "count"),
    { jsonrpc: "2.0", method: "notifications/roots/list_changed" },
    call(2, "count"),
    7,
    { jsonrpc: "2.0", id: 3, method: "initialize" },
  ]);
  expect(status).toBe(200);
  // The host sends the two calls at once: the answers keep the order of the batch, and the counts are those of one session.
  const [first, second, ...rest] = body as { id: number; result: unknown }[];
  expect([first?.id, second?.id]).toEqual([1, 2]);
  const results = [first?.result, second?.result];
  expect(results).toEqual(expect.arrayContaining([said(1), said(2)]));
  expect(rest).toEqual([
    { jsonrpc: "2.0", id: null, error: expect.objectContaining({ code: -32600 }) },
    { jsonrpc: "2.0", id: 3, error: { code: -32601, message: "Method not found: initialize" } },
  ]);
  expect(await post("/batch", [{ jsonrpc: "2.0", method: "notifications/initialized" }])).toEqual({ status: 202 });
});

test.each([
  [{}, "Invalid request: send a JSON array of at least one JSON-RPC message"],
  [[], "Invalid request: send a JSON array of at least one JSON-RPC message"],
  [Array(101).fill(call(1, "count")), "Invalid request: the batch has 101 messages; send at most 100 messages at once"],
])("what is no batch is refused", async (body, message) => {
  const data = { code: "INVALID_REQUEST" };
  expect(await post("/batch", body)).toEqual({ status: 400, body: { error: { code: -32600, message, data } } });
});

test("health, readiness, load and metrics", async () => {
  expect(await get("/health")).toEqual({ status: "ok" });
  expect(await get("/ready")).toEqual({ ready: true, servers: { stateful: "ready" } });
  const load = await get("/load");
  expect(load).toEqual({
    ...{ cpu: expect.any(Number), memory: expect.any(Number), inFlight: 0, waiting: 0 },
    leases: expect.objectContaining({ max: expect.any(Number) }),
  });
  expect(load.memory).toBeGreaterThan(0);
  expect(await (await request(`${url}/metrics`)).body.text()).toContain(
    'mcp_server_health_status{server="stateful"} 1',
  );
});

test("the API's document is right and names each tool; its page loads nothing from elsewhere; a tool has a path", async () => {
  const document = await get("/openapi.json");
  expect((await new Validator().validate(document)).valid).toBe(true);
  expect(Object.keys(document.paths as object).filter((path) => /tools|load|batch/.test(path))).toEqual([
    "/load",
    "/batch",
    ...["count", "crash", "slow", "where"].map((tool) => `/api/v1/servers/stateful/tools/${tool}`),
  ]);
  const page = await request(`${url}/docs`);
  expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
  const html = await page.body.text();
  expect(html).not.toMatch(/https?:/);
  for (const [, file] of html.matchAll(/(?:src|href)="(.+?)"/g)) {
    expect((await request(`${url}/${file}`)).statusCode).toBe(200);
  }
  expect(await post("/api/v1/servers/stateful/tools/count", {})).toEqual({ status: 200, body: { result: said(1) } });
  expect((await request(`${url}/api/v1/servers/stateful/tools/count`, { method: "POST" })).statusCode).toBe(200);
  expect(await post("/api/v1/servers/stateful/tools/none", {})).toEqual({
    status: 400,
    body: { error: { code: -32602, message: "Tool none not found" } },
  });
});

test("a token is asked for when there is one; beyond loopback without one it does not start", async () => {
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, "canary-token");
  const run = (args: string[]) =>
    new Promise<{ code: unknown; err: string }>((resolve) =>
      execFile(process.execPath, [entry, "host", ...args, "--", "true"], (error, _out, err) =>
        resolve({ code: error?.code ?? 0, err }),
      ),
    );
  expect(await run(["--host", "0.0.0.0"])).toEqual({
    code: 2,
    err:
      "mcp-fleet: --host: 0.0.0.0 is reached by other machines, without authentication; ask for a token, or say " +
      "--allow-anonymous (MCP_FLEET_ALLOW_ANONYMOUS=true) where only trusted peers come in\n",
  });
  expect(await run(["--type", "nothing"])).toMatchObject({ code: 2 });
});

test("SIGTERM drains: the call in flight ends, and nothing is left", async () => {
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url)));
  const slow = say(client, "slow", { steps: 3, ms: 100 });
  while ((await get("/load")).inFlight !== 1);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  expect(await slow).toEqual({ steps: 3 });
  await client.close();
  expect(await ended).toBe(0);
});
