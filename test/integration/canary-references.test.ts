import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { freePort } from "../support/checkout.ts";
import { ProtectedServer } from "../support/protected-server.ts";

// One word for each way in which a reference brings a value, looked for in everything that the gateway says.
const words = {
  argument: "canary-argument-5001",
  inArgument: "canary-in-argument-5002",
  query: "canary-query-5003",
  path: "canary-path-5004",
  wholeAddress: "canary-whole-address-5005",
  static: "canary-static-5006",
  webSocket: "canary-web-socket-5007",
  sse: "canary-sse-5008",
  tcp: "canary-tcp-5009",
  environment: "canary-environment-5010",
  file: "canary-file-5011",
  health: "canary-health-5012",
  batch: 'canary "batch"/5013',
  optionInPlainText: "canary-option-5014",
  host: "canary-host-5016",
  httpHost: "canary-http-host-5017",
  command: "canary-command-5018",
  queryInPlainText: "canary-plain-query-5015",
} as const;
type Kind = keyof typeof words;

const main = join(import.meta.dirname, "../../runtime/cli/main.ts");
const fixture = join(import.meta.dirname, "../fixtures/stateful-server.ts");
const serverNames = [
  "up",
  "crash",
  "remote",
  "gone",
  "listed",
  "ws",
  "sse",
  "tcp",
  "batched",
  "plain",
  "host",
  "http-host",
  "command",
];
let folder: string;
let port: number;
let gateway: ChildProcess;
let remote: ProtectedServer;
let plain: Server;
const said = new Map<string, string>();
const at = (name: string) => join(folder, name);

/** Every form in which a word can be in a text. */
const forms = (word: string): string[] => [
  ...[
    word,
    JSON.stringify(word).slice(1, -1),
    encodeURIComponent(word),
    new URLSearchParams({ k: word }).toString().slice(2),
  ],
  ...["", "u:", "us:"].map((before) => Buffer.from(`${before}${word}`).toString("base64").slice(4, -4)),
];
const found = (from: string): Kind[] =>
  (Object.keys(words) as Kind[]).filter((kind) => forms(words[kind]).some((form) => from.includes(form)));

async function ask(path: string, body?: unknown): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { accept: "application/json, text/event-stream", "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  said.set(`${path} ${JSON.stringify(body ?? "")}`, `${JSON.stringify([...answer.headers])}${await answer.text()}`);
  return answer.status;
}

async function admin(path: string): Promise<void> {
  const asked = httpRequest({ socketPath: at("admin.sock"), path }).end();
  const [answer] = await once(asked, "response");
  said.set(`admin ${path}`, await text(answer));
}

describe.each([1, 2])("with %i workers", (workers) => {
  beforeAll(async () => {
    said.clear();
    folder = await mkdtemp(join(tmpdir(), "canary-references-"));
    port = await freePort();
    const nobody = await freePort();
    remote = await ProtectedServer.start(async () => ({ who: "gateway" }));
    plain = createServer((_request, response) => response.writeHead(500).end());
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    const broken = `127.0.0.1:${(plain.address() as AddressInfo).port}`;
    const tells = "console.error('my key is', process.argv[1], process.argv[2]); process.exit(3)";
    const quick = { timeouts: { connectMs: 3000 }, healthCheck: { intervalMs: 200, timeoutMs: 200 } };
    const shared = { type: "custom", isolation: "shared", ...quick };
    const config = {
      gateway: {
        port,
        workers,
        log: { level: "trace", file: at("log/gateway.log") },
        admin: { socket: at("admin.sock") },
      },
      servers: {
        up: {
          ...shared,
          isolation: "session",
          process: {
            command: process.execPath,
            args: [fixture, "--api-key", "${ARGUMENT}", "--other=x${IN_ARGUMENT}y"],
            env: { HARMLESS_NAME: "x${ENVIRONMENT}" },
          },
        },
        crash: { ...shared, process: { command: process.execPath, args: ["-e", tells, "${ARGUMENT}", "file:secret"] } },
        remote: { ...shared, endpoints: [`${remote.url}?apiKey=\${QUERY}`] },
        gone: { ...shared, endpoints: [`http://127.0.0.1:${nobody}/s/\${PATH_KEY}/mcp`, "http://${ADDRESS}"] },
        listed: {
          ...shared,
          healthCheck: { ...quick.healthCheck, path: "/health?key=${HEALTH}" },
          discovery: { static: [{ url: `http://${broken}/\${STATIC}?k=\${STATIC}` }] },
        },
        ws: { ...shared, endpoints: [`ws://${broken}/\${WEB_SOCKET}`] },
        sse: { ...shared, protocol: "sse", endpoints: [`http://${broken}/sse?k=\${SSE}`] },
        tcp: { ...shared, endpoints: [`tcp://127.0.0.1:${nobody}/\${TCP}`] },
        batched: { ...shared, batching: {}, endpoints: [`http://${broken}/mcp?k=\${BATCH}`] },
        plain: {
          ...shared,
          process: { command: process.execPath, args: ["-e", tells, "--api-key", words.optionInPlainText] },
        },
        host: { ...shared, endpoints: ["ws://${HOST_KEY}.invalid/ws"] },
        "http-host": { ...shared, endpoints: ["http://${HTTP_HOST_KEY}.invalid/mcp"] },
        command: { ...shared, process: { command: "${COMMAND}" } },
        query: { ...shared, endpoints: [`http://${broken}/mcp?key=${words.queryInPlainText}`] },
      },
    };
    await writeFile(at("secret"), `${words.file}\n`);
    await writeFile(at("fleet.json"), JSON.stringify(config));
    gateway = spawn(process.execPath, [main, "serve", "--config", at("fleet.json"), "--state", at("state")], {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        ARGUMENT: words.argument,
        IN_ARGUMENT: words.inArgument,
        ENVIRONMENT: words.environment,
        QUERY: words.query,
        PATH_KEY: words.path,
        HEALTH: words.health,
        STATIC: words.static,
        WEB_SOCKET: words.webSocket,
        SSE: words.sse,
        TCP: words.tcp,
        BATCH: words.batch,
        HOST_KEY: words.host,
        HTTP_HOST_KEY: words.httpHost,
        COMMAND: words.command,
        ADDRESS: `127.0.0.1:${nobody}/${words.wholeAddress}/mcp?key=${words.wholeAddress}`,
      },
    });
    let output = "";
    for (const stream of [gateway.stdout, gateway.stderr]) {
      stream?.on("data", (chunk) => {
        output += chunk;
        said.set("output", output);
      });
    }
    const up = () => ask("/health").catch(() => 0);
    const serves = async () => (await up()) === 200 && existsSync(at("admin.sock"));
    while (!(await serves()) && gateway.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 50));
  }, 60_000);

  afterAll(async () => {
    gateway.kill("SIGKILL");
    plain.closeAllConnections();
    plain.close();
    await remote.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("no value of a reference is in any answer, page, error, status or log line, at the most talkative level", async () => {
    const initialize = {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
    };
    for (const name of [...serverNames, "query"]) {
      await ask(`/mcp/${name}`, initialize);
      await ask(`/api/v1/servers/${name}/tools/count`, {});
      await ask(`/api/v1/servers/${name}`);
    }
    await ask("/mcp", { jsonrpc: "2.0", id: 2, method: "tools/list", params: {} });
    const pages = ["/docs", "/openapi.json", "/metrics", "/dashboard", "/dashboard/data", "/api/v1/servers", "/ready"];
    for (const page of pages) await ask(page);
    await admin("/status");
    for (const name of [...serverNames, "query"]) await admin(`/servers/${name}/instances`);
    for (const more of [[], ["--json"]]) {
      const args = [main, "status", "--url", `http://127.0.0.1:${port}`, ...more];
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
      said.set(args.slice(1).join(" "), stdout + stderr);
    }
    gateway.kill("SIGTERM");
    await once(gateway, "exit");
    for (const name of await readdir(at("log"))) {
      said.set(name, await readFile(join(at("log"), name), "utf8"));
      expect([name, ((await stat(join(at("log"), name))).mode & 0o777).toString(8)]).toEqual([name, "600"]);
    }
    expect(((await stat(at("state"))).mode & 0o777).toString(8)).toBe("700");
    const leaks = [...said].map(([where, from]) => [where, found(from)]).filter(([, kinds]) => kinds?.length !== 0);
    expect(leaks).toEqual([]);
    // What was looked for could have been there: failures are told, with where they were and without what they said.
    const all = [...said.values()].join("\n");
    expect(all).toContain(`"source":"http://127.0.0.1:${remote.url.split(":")[2]?.split("/")[0]}/mcp"`);
    expect(said.get("/api/v1/servers/crash/tools/count {}")).toMatch(
      /crash: the server process \([^)]*node … \$\{ARGUMENT\} …\) did not start: exit code 3; run the command by hand to see what it lacks"/,
    );
    // Its last words are for operators, without the keys that are in them.
    expect(said.get("gateway.log")).toMatch(/"stderr":"my key is \[redacted\] \[redacted\]","msg":"last words"/);
    expect(said.get("/api/v1/servers/gone/tools/count {}")).toContain("cannot be reached");
  }, 60_000);
});
