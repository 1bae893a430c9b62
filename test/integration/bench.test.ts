import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { BenchReport } from "../../runtime/bench/index.ts";
import { TestGateway } from "../support/gateway.ts";
import { Listening } from "../support/listening.ts";
import { testWith } from "../support/needs.ts";

const root = join(import.meta.dirname, "../..");
let upstream: Listening;
let gateway: TestGateway;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bench-test-"));
  upstream = await Listening.start(join(root, "test/bench/echo-upstream.mjs"));
  gateway = await TestGateway.start({
    gateway: { auth: { bearerTokens: [{ name: "bench", token: "secret" }] } },
    servers: {
      echo: { type: "custom", isolation: "shared", endpoints: [`http://127.0.0.1:${upstream.port}/mcp`] },
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.stop();
  await rm(folder, { recursive: true, force: true });
});

function bench(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const all = [join(root, "runtime/cli/main.ts"), "bench", ...args];
    execFile(process.execPath, all, { cwd: folder }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}
const direct = () => `http://127.0.0.1:${upstream.port}/mcp`;
const short = ["--rounds", "1", "--duration", "0.2", "--warm", "0.05"];

testWith("Chromium or Chrome")(
  "bench measures a gateway beside its server, and reports as table, JSON and a page with charts",
  async () => {
    const more = ["--header", "Authorization: Bearer secret", "--direct", direct(), "--pid", String(process.pid)];
    const files = ["--json", "bench.json", "--html", "bench.html", "--threads", "2"];
    const run = await bench("--url", `${gateway.url}/mcp/echo`, ...more, "--sessions", "1,4", ...short, ...files);
    expect([run.code, run.err]).toEqual([0, ""]);
    expect(run.out).toMatch(/│ direct +│ +1 │[\s\S]*│ direct +│ +4 │[\s\S]*│ gateway +│ +1 │[\s\S]*│ gateway +│ +4 │/);

    const report = JSON.parse(await readFile(join(folder, "bench.json"), "utf8")) as BenchReport;
    expect([report.echoes, report.rounds, report.command.includes("secret")]).toEqual([true, 1, false]);
    expect(report.measurements.map(({ target, sessions, errors }) => [target, sessions, errors])).toEqual([
      ["direct", 1, {}],
      ["direct", 4, {}],
      ["gateway", 1, {}],
      ["gateway", 4, {}],
    ]);
    for (const one of report.measurements) {
      const ordered = [0, one.p50Ms, one.p95Ms, one.p99Ms, one.maxMs];
      expect(ordered).toEqual([...ordered].sort((a, b) => a - b));
      expect(one.calls).toBeGreaterThan(10);
      expect("cpuUsPerCall" in one).toBe(one.target === "gateway");
    }

    const page = join(folder, "bench.html");
    expect((await readFile(page, "utf8")).match(/(src|href)="[^"]*"/g)).toBeNull();
    const flags = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      `--user-data-dir=${join(folder, "browser")}`,
      "--dump-dom",
    ];
    const drawn = execFileSync("chromium", [...flags, `file://${page}`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    // Chart.js gives a canvas its size when it draws on it.
    const canvases = [...drawn.matchAll(/<canvas id="(\w+)"[^>]* height="(\d+)"/g)].map(([, id]) => id);
    expect(canvases).toEqual(["throughput", "latency", "cpu", "memory"]);
  },
);

test("bench says what is wrong with its target, and with which option", async () => {
  const address = `http://127.0.0.1:${upstream.port}/mcp`;
  const cases: [string[], number, string][] = [
    [
      ["--url", "http://127.0.0.1:1/mcp"],
      1,
      "http://127.0.0.1:1/mcp cannot be reached (connect ECONNREFUSED 127.0.0.1:1); start what listens there, or correct the URL",
    ],
    [
      ["--url", `${gateway.url}/mcp/echo`],
      1,
      `${gateway.url}/mcp/echo refused initialize with 401; give a token with --header 'Authorization: Bearer <token>'`,
    ],
    [
      ["--url", address, "--tool", "nope"],
      2,
      `--tool: ${address} has no tool "nope" (it has echo, bytes, stream); choose one with --tool NAME`,
    ],
    [
      ["--url", address, "--args", '{"size":{text}}'],
      2,
      `--args: {"size":{text}}: give a JSON object with {text} inside one of its texts, as in '{"text":"{text}"}'`,
    ],
    [["--url", "ftp://x"], 2, '--url: "ftp://x" is no HTTP URL; give one such as http://127.0.0.1:8080/mcp'],
  ];
  const runs = await Promise.all(cases.map(([args]) => bench(...args, ...short)));
  expect(runs.map(({ code, err }) => [code, err])).toEqual(
    cases.map(([, code, text]) => [code, `mcp-fleet: ${text}\n`]),
  );
});

test("a server that answers another call's text is found out", async () => {
  let texts = 0;
  const liar = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { id, method, params } = body === "" ? ({} as Record<string, never>) : JSON.parse(body);
    if (id === undefined) return response.writeHead(202).end();
    const text = method === "tools/call" && texts++ > 0 ? "something else" : params.arguments?.text;
    const results: Record<string, object> = {
      initialize: { protocolVersion: "2025-06-18", capabilities: {}, serverInfo: { name: "liar", version: "1" } },
      "tools/list": { tools: [{ name: "echo", inputSchema: { properties: { text: { type: "string" } } } }] },
    };
    const result = results[method] ?? { content: [{ type: "text", text }] };
    return response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => liar.once("listening", resolve));
  const run = await bench(
    "--url",
    `http://127.0.0.1:${(liar.address() as AddressInfo).port}/`,
    "--sessions",
    "1",
    ...short,
  );
  liar.closeAllConnections();
  liar.close();
  expect(run.code).toBe(1);
  expect(run.err).toMatch(/^mcp-fleet: gateway, 1 sessions: wrong answers: \{"another text":\d+\}\n$/);
});
