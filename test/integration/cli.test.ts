import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { request } from "undici";
import { parse } from "yaml";
import { say, TestGateway } from "../support/gateway.ts";

const root = join(import.meta.dirname, "../..");
const entry = join(root, "runtime/cli/main.ts");
const fixture = join(root, "test/fixtures/stateful-server.ts");
let folder: string;
let running: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cli-test-"));
});
afterEach(async () => {
  running?.kill("SIGKILL");
  running = undefined;
  await rm(folder, { recursive: true, force: true });
});

function run(args: string[], env: Record<string, string> = {}): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, ...args], { cwd: folder, env: { ...process.env, ...env } }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

async function freePort(): Promise<number> {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as { port: number };
  await new Promise((resolve) => holder.close(resolve));
  return port;
}

async function serve(
  text: string,
  env: Record<string, string> = {},
): Promise<{ url: string; log: () => string; ended: Promise<number | null> }> {
  await writeFile(join(folder, "fleet.yaml"), text);
  const child = spawn(process.execPath, [entry, "serve", "--config", "fleet.yaml", "--state", "state", "--port", "0"], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  running = child;
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", () => {
      const found = /"url":"(http[^"]+)"/.exec(log)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(log)));
  });
  return { url, log: () => log, ended };
}

const server = (more = "") =>
  `servers:\n  stateful:\n    type: custom\n    process: { command: "${process.execPath}", args: ["${fixture}"]${more} }\n`;
const count = "/api/v1/servers/stateful/requests";

test("serve answers, drains on SIGTERM, and leaves with code 0 and nothing behind", async () => {
  const { url, ended } = await serve(server());
  expect(await run(["call", "stateful", "count", "--url", url])).toMatchObject({ code: 0, err: "" });
  const status = await run(["status", "--url", url, "--json"]);
  expect(JSON.parse(status.out)).toMatchObject([{ name: "stateful", health: "ready", tools: 4 }]);
  expect((await run(["status", "--url", url])).out).toContain("stateful");
  running?.kill("SIGTERM");
  expect(await ended).toBe(0);
  await expect(request(`${url}/health`)).rejects.toThrow();
});

test("a changed file is taken over without a restart; a wrong one is refused and the old one goes on", async () => {
  const { url, log } = await serve(
    `${server()}  second: { type: custom, process: { command: "${process.execPath}", args: ["${fixture}"] } }\n`,
  );
  const names = async () =>
    ((await (await request(`${url}/api/v1/servers`)).body.json()) as { name: string }[]).map(({ name }) => name);
  const pidOf = async () => {
    const answer = await request(`${url}${count}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"method":"count"}',
    });
    expect(answer.statusCode).toBe(200);
    await answer.body.dump();
    return running?.pid;
  };
  expect(await names()).toEqual(["second", "stateful"]);
  const before = await pidOf();
  await writeFile(join(folder, "fleet.yaml"), server());
  while ((await names()).length > 1) await new Promise((resolve) => setTimeout(resolve, 20));
  await writeFile(join(folder, "fleet.yaml"), "servers: { stateful: { type: custom, proces: {} } }\n");
  while (!log().includes("the configuration in force stays as it is"))
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(log()).toContain('fleet.yaml:1:38: servers.stateful.proces: is not a known key; did you mean "process"?');
  expect([await names(), await pidOf()]).toEqual([["stateful"], before]);
});

test("a wrong change is in the log and the metrics with its reason, and so is that it is right again", async () => {
  const { url, log } = await serve(server());
  const metric = async () =>
    /^mcp_config_last_reload_successful (\d)$/m.exec(await (await request(`${url}/metrics`)).body.text())?.[1];
  expect(await metric()).toBe("1");
  await writeFile(join(folder, "fleet.yaml"), `${server()}      env: {}\n`);
  while ((await metric()) !== "0") await new Promise((resolve) => setTimeout(resolve, 20));
  const line = log()
    .split("\n")
    .find((one) => one.includes("the configuration is wrong")) as string;
  expect(JSON.parse(line)).toMatchObject({ level: "error", reason: expect.stringMatching(/^fleet\.yaml:5:/) });
  await writeFile(join(folder, "fleet.yaml"), server());
  while ((await metric()) !== "1") await new Promise((resolve) => setTimeout(resolve, 20));
});

test("SIGHUP has a gateway of one process read its configuration again, and ends no call", async () => {
  const { url, log } = await serve(server());
  const slow = run(["call", "stateful", "slow", "--params", '{"steps":2,"ms":1500}', "--url", url]);
  const inFlight = async () =>
    ((await (await request(`${url}/api/v1/servers/stateful`)).body.json()) as { inFlight: number }).inFlight;
  while ((await inFlight()) !== 1) await new Promise((resolve) => setTimeout(resolve, 20));
  const args = `"${process.execPath}", args: ["${fixture}"] }`;
  await writeFile(join(folder, "fleet.yaml"), `${server()}  second: { type: custom, process: { command: ${args} }\n`);
  running?.kill("SIGHUP");
  while (!log().includes('"added":["second"]')) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await slow).toMatchObject({ code: 0, err: "" });
});

test("a second gateway with the same admin socket is refused, and the first one keeps it", async () => {
  const gateway = `gateway: { port: 0, admin: { socket: "${join(folder, "admin.sock")}" } }\n`;
  const first = await serve(gateway + server());
  const second = await run(["serve", "--config", "fleet.yaml", "--port", "0"]);
  expect(second).toMatchObject({
    code: 1,
    err: expect.stringContaining(
      `gateway.admin.socket: another gateway listens at ${join(folder, "admin.sock")}; give each gateway a socket of its own, or end the other one`,
    ),
  });
  const asked = await run(["status", "--url", first.url]);
  expect(asked.code).toBe(0);
  expect(await readdir(folder)).toContain("admin.sock");
});

test("a secret never reaches the log, wherever it came from", async () => {
  const text = `gateway: { log: { level: debug }, auth: { bearerTokens: [{ name: ci, token: "\${TOKEN}" }] } }\n${server(', env: { TEST_SECRET: "${SECRET}" }')}`;
  const { url, log } = await serve(text, { TOKEN: "t0ken-t0ken", SECRET: "s3cret-s3cret" });
  expect((await request(`${url}/api/v1/servers`)).statusCode).toBe(401);
  expect(await run(["call", "stateful", "where", "--url", url, "--token", "t0ken-t0ken"])).toMatchObject({ code: 0 });
  const body = '{"method":"where","metadata":{"note":"s3cret-s3cret"}}';
  await request(`${url}${count}`, {
    method: "POST",
    headers: { authorization: "Bearer t0ken-t0ken", "content-type": "application/json" },
    body,
  });
  for (let attempt = 0; attempt < 500 && !log().includes('"note":"'); attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(log()).toContain('"note":"[redacted]"');
  expect(log()).not.toMatch(/t0ken-t0ken|s3cret-s3cret/);
});

test.each([
  [["serve"], 2, "error: required option '--config <path>' not specified\n"],
  [
    ["serve", "--config", "none.yaml"],
    2,
    "mcp-fleet: none.yaml cannot be read (ENOENT: no such file or directory, stat 'none.yaml'); give the path of a configuration file\n",
  ],
  [
    ["validate", "--config", "bad.yaml"],
    2,
    'mcp-fleet: bad.yaml:2:3: gateway.prot: is not a known key; did you mean "port"?\n',
  ],
  [
    ["serve", "--config", "bad.yaml"],
    2,
    'mcp-fleet: bad.yaml:2:3: gateway.prot: is not a known key; did you mean "port"?\n',
  ],
  [
    ["validate", "--config", "rule.yaml"],
    2,
    'mcp-fleet: rule.yaml:4:22: gateway.authorization.rules[0].when: is "caler.roles", which is no condition: Unknown variable: caler; write it in CEL over caller, server, method, tool, name and args, like `"admin" in caller.roles`\n',
  ],
  [
    ["status", "--url", "http://127.0.0.1:9"],
    1,
    "mcp-fleet: --url: no gateway answers at http://127.0.0.1:9 (connect ECONNREFUSED 127.0.0.1:9); start it with `npm start` or `mcp-fleet serve`, or give its address with --url\n",
  ],
  [["nonsense"], 2, "error: unknown command 'nonsense'\n"],
])("%j ends with code %i and one message", async (args, code, err) => {
  await writeFile(join(folder, "bad.yaml"), "gateway:\n  prot: 8080\nservers: {}\n");
  const rule =
    "gateway:\n  authorization:\n    rules:\n    - {effect: deny, when: caler.roles }\nservers: { a: { type: magic } }\n";
  await writeFile(join(folder, "rule.yaml"), rule);
  expect(await run(args)).toEqual({ code, out: "", err });
});

test("a busy port is named, and nothing is left running", async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
  const { port } = blocker.address() as { port: number };
  await writeFile(join(folder, "fleet.yaml"), server());
  const { code, err } = await run(["serve", "--config", "fleet.yaml", "--port", String(port)]);
  blocker.close();
  const fix = "stop what listens there, or set gateway.port to another one (0 takes a free one)";
  expect([code, err.split("\n").at(-2)]).toEqual([
    1,
    `mcp-fleet: gateway.port: 127.0.0.1:${port} is in use by another program; ${fix}`,
  ]);
});

test("init makes a configuration that validate accepts, and never overwrites one unasked", async () => {
  await writeFile(
    join(folder, ".mcp.json"),
    JSON.stringify({ mcpServers: { docs: { command: "npx", args: ["-y", "@upstash/context7-mcp"] } } }),
  );
  expect(await run(["init"])).toEqual({ code: 0, out: "mcp-fleet.yaml: 1 server from .mcp.json\n", err: "" });
  expect(await readFile(join(folder, "mcp-fleet.yaml"), "utf8")).toContain("servers:\n  docs:\n    type: context7\n");
  expect((await run(["validate", "--config", "mcp-fleet.yaml"])).out).toBe(
    "mcp-fleet.yaml is right: 1 server (docs)\n",
  );
  const again = await run(["init"]);
  expect([again.code, again.err]).toEqual([
    2,
    "mcp-fleet: --output: mcp-fleet.yaml exists; add --force to overwrite it, or name another file\n",
  ]);
});

test("the log file rotates by size, and the oldest go", async () => {
  const logs = join(folder, "log");
  const rotation = `{ level: debug, file: "${join(logs, "gateway.log")}", maxBytes: 2048, maxFiles: 2 }`;
  const port = await freePort();
  await writeFile(join(folder, "fleet.yaml"), `gateway: { port: ${port}, log: ${rotation} }\n${server()}`);
  running = spawn(process.execPath, [entry, "serve", "--config", "fleet.yaml"], { cwd: folder, stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  while ((await run(["status", "--url", url])).code !== 0);
  for (let call = 0; call < 60; call++) {
    const headers = { "content-type": "application/json" };
    await (await request(`${url}${count}`, { method: "POST", headers, body: '{"method":"count"}' })).body.dump();
  }
  const ended = new Promise((resolve) => running?.once("exit", resolve));
  running.kill("SIGTERM");
  await ended;
  // The .txt is the rotation's own list of what it made.
  const names = (await readdir(logs)).map((name) => name.replace(/^\d{8}-\d{4}-\d{2}-/, "rotated-")).sort();
  expect(names).toEqual(["gateway.log", "gateway.log.txt", "rotated-gateway.log", "rotated-gateway.log"]);
  const newest = await readFile(join(logs, "gateway.log"), "utf8");
  expect(newest).toContain('"msg":"ended"');
});

test("connect is a server on standard streams for clients of either era, and outlives a restart of the gateway", async () => {
  const port = await freePort();
  const text = `
gateway: { port: ${port} }
servers:
  counter: { type: custom, process: { command: ${process.execPath}, args: [ ${fixture} ] } }
`;
  let gateway = await TestGateway.start(parse(text));
  const clients: Client[] = [];
  try {
    for (const mode of ["legacy", "auto"] as const) {
      const client = new Client({ name: "stdio", version: "1" }, { versionNegotiation: { mode } });
      const args = [entry, "connect", "--url", `http://127.0.0.1:${port}/mcp/counter`];
      clients.push(client);
      await client.connect(new StdioClientTransport({ command: process.execPath, args }));
      expect(await say(client, "count")).toMatchObject({ count: 1 });
    }
    await gateway.close();
    gateway = await TestGateway.start(parse(text));
    for (const client of clients) expect(await say(client, "count")).toMatchObject({ count: 1 });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await gateway.close();
  }
});

test.each([
  ["nonsense", 2, '--url: "nonsense" is no URL'],
  ["http://127.0.0.1:1/other/path", 2, "is no MCP path of a gateway"],
  ["http://127.0.0.1:1", 1, "--url: no gateway answers at ws://127.0.0.1:1/ws"],
])("connect --url %s ends with code %d", async (url, code, message) => {
  const ended = await run(["connect", "--url", url]);
  expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(message)]);
});
