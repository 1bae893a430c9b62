import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, expect, test } from "@jest/globals";
import type { Gateway } from "../../runtime/config/schema/index.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";
import { testWith } from "../support/needs.ts";

// The live page of a real gateway, as programs and as a browser see it.
let it: TestGateway;
afterEach(() => it.close());
const start = async (gateway: Gateway = {}) => {
  const server = { ...statefulServer(), isolation: "shared" } as const;
  it = await TestGateway.start({ gateway, servers: { stateful: server, other: server } });
};
const get = (path: string, headers: Record<string, string> = {}) => fetch(`${it.url}${path}`, { headers });

test("the page holds no data; what it asks for shows each caller the servers that it may use", async () => {
  const bearerTokens = [
    { name: "ada", token: "token-of-ada-is-long-enough", roles: ["writer"] },
    { name: "bob", token: "token-of-bob-is-long-enough" },
  ];
  const rules = [{ allow: { servers: ["*"] }, roles: ["writer"] }];
  await start({ auth: { bearerTokens }, authorization: { rules } } as unknown as Gateway);
  for (const path of ["", "/page.css", "/page.js", "/chart.js"]) {
    const answer = await get(`/dashboard${path}`);
    expect([path, answer.status, (await answer.text()).includes("stateful")]).toEqual([path, 200, false]);
  }
  expect((await get("/dashboard")).headers.get("content-security-policy")).toContain("default-src 'none'");
  expect((await get("/dashboard/data")).status).toBe(401);
  const names = async (token: string) => {
    const answer = await get("/dashboard/data", { authorization: `Bearer ${token}` });
    const { servers } = (await answer.json()) as { servers: { name: string }[] };
    return servers.map(({ name }) => name);
  };
  expect(await names("token-of-ada-is-long-enough")).toEqual(["other", "stateful"]);
  expect(await names("token-of-bob-is-long-enough")).toEqual([]);
});

testWith("Chromium or Chrome")("a browser draws servers, calls and charts", async () => {
  await start();
  const client = await it.connect("/mcp/stateful");
  for (let call = 0; call < 5; call += 1) await client.callTool({ name: "count", arguments: {} });
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=7000", "--dump-dom"];
  const { stdout: drawn } = await promisify(execFile)("chromium", [...flags, `${it.url}/dashboard`], {
    timeout: 50_000,
  });
  const rows = [...drawn.matchAll(/<tr><td>(.*?)<\/td><\/tr>/g)].map(([, cells]) => cells?.split(/<\/td><td[^>]*>/));
  expect(rows).toEqual([
    ["other", "1.2.3", "ready", "1 of 1", "0", "0", "0", "0", "0", "4"],
    ["stateful", "1.2.3", "ready", "1 of 1", "0", "0", "5", "0", "0", "4"],
  ]);
  expect(drawn).toContain("2 of 2 servers ready");
  // Chart.js gives a canvas its size when it draws on it.
  expect([...drawn.matchAll(/<canvas id="(\w+)"[^>]* height="\d+"/g)].map(([, id]) => id)).toEqual([
    "calls",
    "latency",
  ]);
});
