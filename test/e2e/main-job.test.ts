import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import pino from "pino";
import { PackageCache } from "../../runtime/orchestrator/package-cache.ts";
import { presets } from "../../runtime/orchestrator/presets.ts";
import { blocks, pageAt, root } from "../docs/pages.ts";
import { Checkout, freePort } from "../support/checkout.ts";
import { testWith } from "../support/needs.ts";
import { pngSize } from "../support/png.ts";

// One story in order: what a new user does with a clean clone, by the README's own commands.
const commands = blocks(pageAt("README.md"), "sh").flatMap((block) => block.trim().split("\n"));
const [start, preview, stop] = ["npm start", "npm run preview", "npm run stop"];
const engine = testWith("a Pulumi engine");
const run = promisify(execFile);

let checkout: Checkout;
let url: string;
let client: Client;
const gatewayPid = () => JSON.parse(readFileSync(join(checkout.state, "mcp-fleet@dev/gateway.pid"), "utf8")).pid;
const processOf = (text: string) =>
  Object.entries(checkout.processes())
    .filter(([, command]) => command.includes(text))
    .map(([pid]) => Number(pid));

beforeAll(async () => {
  checkout = new Checkout({ modules: "installed" });
  const port = await freePort();
  url = `http://127.0.0.1:${port}/mcp`;
  checkout.configure((config) => {
    config["mcp-fleet:gateway"].port = port;
  });
});
afterAll(() => checkout.close());

const tools = [
  "context7__query-docs",
  "context7__resolve-library-id",
  "magic__21st_magic_component_builder",
  "playwright__browser_navigate",
  "playwright__browser_take_screenshot",
  "sequential__sequentialthinking",
];
const thought = { thought: "step by step", thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false };
const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text ?? "";

test("these are the README's commands", () => {
  expect(commands).toEqual([start, preview, stop, "npm test"]);
});

engine("npm start brings four servers up and says how to connect", async () => {
  const { code, out, err } = await checkout.run(start);
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  const rows = [...out.matchAll(/^│ (\w+) +│ ([\d.]+) +│ (\S+) \(max 4\) +│ (\w+) +│ \d+ +│ \d+ ms +│$/gm)];
  expect(rows.map((row) => row.slice(1))).toEqual([
    ["context7", presets.context7.version, "1/1", "ready"],
    ["magic", presets.magic.version, "1/1", "ready"],
    ["playwright", presets.playwright.version, "1/1", "ready"],
    ["sequential", presets.sequential.version, "1/1", "ready"],
  ]);
  expect(out).toContain(`Claude Code    claude mcp add --transport http mcp-fleet ${url}\n`);
  const entry = /\.mcp\.json\n([\s\S]*?)\n\n/.exec(out)?.[1] as string;
  expect(JSON.parse(entry)).toEqual({ mcpServers: { "mcp-fleet": { type: "http", url } } });
});

engine("the TypeScript client lists and calls tools", async () => {
  client = new Client({ name: "story", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(expect.arrayContaining(tools));
  const result = await client.callTool({ name: "sequential__sequentialthinking", arguments: thought });
  expect(JSON.parse(textOf(result))).toMatchObject({ thoughtNumber: 1, thoughtHistoryLength: 1 });
});

engine("context7's own answer passes unchanged, whatever it is", async () => {
  const { package: name, version, bin } = presets.context7;
  const installed = await new PackageCache({ log: pino({ level: "silent" }) }).ensure(name, version);
  const direct = new Client({ name: "direct", version: "1.0.0" });
  await direct.connect(new StdioClientTransport({ command: process.execPath, args: [installed.bin(bin)] }));
  const args = { query: "react", libraryName: "react" };
  const own = await direct.callTool({ name: "resolve-library-id", arguments: args });
  await direct.close();
  expect(textOf(own)).not.toBe("");
  expect(await client.callTool({ name: "context7__resolve-library-id", arguments: args })).toEqual(own);
});

testWith("a Pulumi engine", "the Python client (MCP_PYTHON)")("the Python client lists and calls tools", async () => {
  const script = join(root, "test/fixtures/client.py");
  const { stdout } = await run(process.env.MCP_PYTHON as string, [script, url]);
  const seen = JSON.parse(stdout);
  expect(seen.tools).toEqual(expect.arrayContaining(tools));
  expect(seen.thought).toMatchObject({ thoughtNumber: 1, thoughtHistoryLength: 1 });
  expect(seen.library).not.toBe("");
});

engine("the Inspector's command line lists and calls tools", async () => {
  const inspect = async (...args: string[]) => {
    const inspector = join(root, "node_modules/.bin/mcp-inspector");
    const { stdout } = await run(inspector, ["--cli", url, "--format", "json", ...args]);
    return JSON.parse(stdout);
  };
  const { tools: listed } = (await inspect("--method", "tools/list")).result;
  expect(listed.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(tools));
  const args = Object.entries(thought).flatMap(([name, value]) => ["--tool-arg", `${name}=${value}`]);
  const called = await inspect("--method", "tools/call", "--tool-name", "sequential__sequentialthinking", ...args);
  expect(JSON.parse(textOf(called.result))).toMatchObject({ thoughtHistoryLength: 1 });
});

testWith("a Pulumi engine", "Chromium or Chrome")("playwright's screenshot of a page arrives intact", async () => {
  const site = createServer((_request, response) => response.end("<h1 style='color:teal'>fleet</h1>"));
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  const page = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
  const visited = await client.callTool({ name: "playwright__browser_navigate", arguments: { url: page } });
  expect(textOf(visited)).toContain(page);
  const shot = await client.callTool({
    name: "playwright__browser_take_screenshot",
    arguments: { scale: "css", type: "png" },
  });
  site.close();
  const image = (shot.content as { type: string; mimeType: string; data: string }[]).find(
    ({ type }) => type === "image",
  );
  expect(image?.mimeType).toBe("image/png");
  expect(pngSize(Buffer.from(image?.data ?? "", "base64"))).toEqual({ width: 1280, height: 720 });
});

engine("after kill -9 of a server during calls, the next call of the same session succeeds", async () => {
  const call = () => client.callTool({ name: "sequential__sequentialthinking", arguments: thought });
  await call();
  const running = processOf("server-sequential-thinking");
  const calls: Promise<unknown>[] = [];
  for (const pid of running) {
    calls.push(call(), call());
    process.kill(pid, "SIGKILL");
  }
  expect(running.length).toBeGreaterThan(0);
  for (const outcome of await Promise.allSettled(calls)) {
    // A call that was cut off says so, and that it may be sent again; others have their answer.
    if (outcome.status === "rejected") expect(outcome.reason.data).toMatchObject({ retryable: true });
  }
  expect(JSON.parse(textOf(await call()))).toMatchObject({ thoughtNumber: 1 });
});

engine("npm start repairs a gateway that was killed, says so, and its sessions go on", async () => {
  const pid = gatewayPid();
  process.kill(pid, "SIGKILL");
  const { code, out } = await checkout.run(start);
  expect([code, out]).toEqual([0, expect.stringContaining(`The gateway (process ${pid}) had died; it runs again.`)]);
  const result = await client.callTool({ name: "sequential__sequentialthinking", arguments: thought });
  expect(JSON.parse(textOf(result))).toMatchObject({ thoughtHistoryLength: 1 });
});

engine("with nothing changed, preview and start change nothing", async () => {
  const pid = gatewayPid();
  const before = checkout.processes();
  const { code, out } = await checkout.run(preview);
  expect([code, out]).toEqual([0, expect.stringMatching(/\nNo change\.\n$/)]);
  expect((await checkout.run(start)).out).toContain("Nothing has changed");
  expect(gatewayPid()).toBe(pid);
  // A warm instance may have come since; none has gone.
  expect(checkout.processes()).toMatchObject(before);
});

engine(
  "a changed fleet is the only difference, and is applied without a restart of gateway or other fleets",
  async () => {
    const pid = gatewayPid();
    checkout.configure((config) => {
      const fleet = config["mcp-fleet:fleets"].context7 as Record<string, unknown>;
      fleet.scaling = { maxInstances: 6 };
    });
    const { code, out } = await checkout.run(preview);
    const changed = [...out.matchAll(/^\s*([~+-]+) (\S+): \((\w+)\)/gm)].map((match) => match.slice(1));
    expect([code, changed]).toEqual([
      0,
      [
        ["~", "mcp-fleet:index:MCPServerFleet", "update"],
        ["~", "pulumi-nodejs:dynamic/mcp-fleet:ProcessFleet", "update"],
      ],
    ]);
    expect(out).toMatch(/urn=\S+::context7-fleet\]/);
    const others = [...processOf("playwright"), ...processOf("server-sequential-thinking")].sort();
    const after = await checkout.run(start);
    expect([after.code, after.out]).toEqual([0, expect.stringMatching(/│ context7 .*\(max 6\)/)]);
    expect([gatewayPid(), [...processOf("playwright"), ...processOf("server-sequential-thinking")].sort()]).toEqual([
      pid,
      others,
    ]);
  },
);

engine("npm run stop leaves no process, no socket, no lock and no temporary folder", async () => {
  await client.close();
  const { code, err } = await checkout.run(stop);
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  expect(checkout.processes()).toEqual({});
  expect(readdirSync(checkout.state)).toEqual(["pulumi"]);
  const kept = readdirSync(join(checkout.state, "pulumi"), { recursive: true, encoding: "utf8" });
  expect(kept.filter((name) => name.includes("locks/") && name.endsWith(".json"))).toEqual([]);
  expect(readdirSync(checkout.temporary)).toEqual([]);
});
