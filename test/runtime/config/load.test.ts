import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { loadConfig } from "../../../runtime/config/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  return path;
}
const wrong = (path: string, env = {}) =>
  loadConfig(path, { env }).then(
    () => undefined,
    ({ code, message }) => [code, message],
  );

test("defaults are applied, and what the file says wins", async () => {
  const path = await file(
    "fleet.yaml",
    "gateway: { port: 9000 }\nservers:\n  files:\n    type: custom\n    process: { command: node }\n    scaling: { minInstances: 6 }\n",
  );
  const { config, files, secrets } = await loadConfig(path);
  expect(files).toEqual([path]);
  expect(secrets).toEqual([]);
  expect(config).toEqual({
    files: [path],
    gateway: {
      host: "127.0.0.1",
      port: 9000,
      allowedHosts: [],
      allowedOrigins: [],
      compressFromBytes: 65_536,
      maxBodyBytes: 4194304,
      drainMs: 10000,
      lingerMs: 0,
      session: {
        idleTimeoutMs: 3600000,
        maxAgeMs: 86400000,
        maxSessions: 10000,
        maxSessionsPerCaller: 1000,
        drainMs: 600000,
      },
      connections: {
        headersTimeoutMs: 15000,
        requestTimeoutMs: 60000,
        keepAliveTimeoutMs: 65000,
        maxHeaderBytes: 32768,
        maxHeaders: 100,
        maxConnections: 10000,
        trustedProxies: [],
        proxyProtocol: false,
        proxyProtocolOptional: false,
      },
      admin: {},
      listeners: {},
      toolSearch: false,
      workers: 1,
      log: { level: "info", maxBytes: 10485760, maxFiles: 5 },
    },
    servers: [
      {
        name: "files",
        type: "custom",
        source: "node",
        process: { command: "node" },
        protocol: "stdio",
        cache: { enabled: true, maxBytes: 16777216, resourcesMs: 0, staleMs: 0, toolSharing: "caller", tools: {} },
        coalescing: { enabled: false, tools: [] },
        circuitBreaker: {
          ...{ enabled: true, errorPercent: 50, slowPercent: 80 },
          ...{ windowMs: 10000, minimumCalls: 20, openMs: 5000 },
        },
        concurrency: { maxInFlight: 1024, maxQueue: 1024, queueMs: 10000, adaptive: false },
        healthCheck: {
          ...{ enabled: true, intervalMs: 10000, timeoutMs: 2000, loadPath: "/load" },
          ...{ unhealthyThreshold: 2, healthyThreshold: 2, restartAfter: 5 },
          outlier: {
            ...{ enabled: true, consecutiveErrors: 5, latencyFactor: 5 },
            ...{ latencyFloorMs: 500, maxEjectedPercent: 50, ejectionMs: 10000 },
          },
        },
        pool: { maxConnections: 32, maxLifetimeMs: 600_000 },
        loadBalancer: { strategy: "least-connections", stickySession: false, slowStartMs: 5000 },
        retry: { attempts: 3, budgetPercent: 20, backoffMs: 50, idempotentTools: [] },
        isolation: "session",
        scaling: { minInstances: 6, maxInstances: 6, targetInFlight: 16 },
        timeouts: {
          connectMs: 30000,
          requestMs: 120000,
          resetOnProgress: false,
          maxRequestMs: 3600000,
          idleMs: 600000,
        },
        tools: { deny: [], aliases: {} },
        methods: { allow: [] },
      },
    ],
  });
});

test("every mistake is named with file, line, column, value and fix, in the order of the file", async () => {
  const path = await file(
    "fleet.yaml",
    `gateway:
  prot: 8080
  host: 0.0.0.0
servers:
  a:
    type: contxt7
    scaling:
      minInstances: "two"
  Bad_Name: { type: context7 }
`,
  );
  expect(await wrong(path)).toEqual([
    "CONFIG_INVALID",
    [
      `${path}:2:3: gateway.prot: is not a known key; did you mean "port"?`,
      `${path}:6:5: servers.a.type: is "contxt7"; did you mean "context7"? give one of context7, sequential, magic, playwright, custom`,
      `${path}:8:7: servers.a.scaling.minInstances: is "two", which is not an integer; give an integer`,
      `${path}:9:3: servers.Bad_Name: is not a name for a server; use lower case letters, digits and hyphens, at most 32 characters, not beginning or ending with a hyphen`,
    ].join("\n"),
  ]);
});

test.each([
  ["{ type: custom }", "servers.a: has no source of instances; add process, endpoints or discovery"],
  [
    '{ type: custom, process: { command: x }, endpoints: ["http://h/mcp"] }',
    "servers.a.endpoints: stands beside process; keep one of the two",
  ],
  [
    "{ type: custom, process: { command: x }, batching: {} }",
    "servers.a.batching: is for servers over HTTP; remove it; on other connections requests are pipelined anyway",
  ],
  [
    '{ type: custom, endpoints: ["tcp://h:9"], pool: { maxConnections: 2 } }',
    "servers.a.pool: is set for a server that is reached over tcp; remove it: one connection carries all calls of a session",
  ],
  ...["/", "//", "/./", "/proc", "/proc/1/environ", "/dev/mem", "/srv/../proc", "/srv/.."].map(
    (path): [string, string] => [
      `{ type: custom, process: { command: x }, sandbox: { read: [/srv, ${path}] } }`,
      `servers.a.sandbox.read[1]: is "${path}", which holds more than a server may see; name the folders that it needs, without ..`,
    ],
  ),
  [
    "{ type: magic, process: { command: x } }",
    'servers.a.process: stands beside the preset "magic"; remove it, or set type to custom',
  ],
  [
    "{ type: custom, protocol: http, process: { command: x } }",
    'servers.a.protocol: is "http", which a process does not speak; set it to stdio or leave it out',
  ],
  [
    "{ type: magic, scaling: { minInstances: 5, maxInstances: 3 } }",
    "servers.a.scaling.minInstances: is 5, more than maxInstances (3); raise maxInstances or lower minInstances",
  ],
  [
    "{ type: magic, tools: { allow: [x], deny: [y] } }",
    "servers.a.tools.deny: stands beside allow; keep one of the two",
  ],
  [
    "{ type: magic, methods: { allow: [acme/search, tasks/list] } }",
    'servers.a.methods.allow[1]: is "tasks/list", a method of MCP; ' +
      "remove it: the gateway decides about the methods of MCP itself; use tools or gateway.authorization",
  ],
  [
    "{ type: magic, methods: { allow: [search] } }",
    'servers.a.methods.allow[0]: is "search"; give a text that matches ^[\\w.$-]+(?:/[\\w.$-]+)+$',
  ],
  [
    "{ type: custom, endpoints: [ftp://h] }",
    'servers.a.endpoints[0]: is "ftp://h"; write it like https://host/mcp or ws://host/ws or tcp://host:9000',
  ],
  [
    '{ type: custom, endpoints: ["tcp://127.0.0.1"] }',
    'servers.a.endpoints[0]: is "tcp://127.0.0.1", which is no address; write it like https://host/mcp or ws://host/ws or tcp://host:9000',
  ],
  [
    '{ type: custom, endpoints: ["ws://h/ws", "http://h/mcp"] }',
    "servers.a.endpoints[1]: is http://h/mcp, which speaks another protocol than the first; " +
      "use one protocol (the first endpoint says ws), or make a server of its own of it",
  ],
  ["{ type: custom, endpoints: [] }", "servers.a.endpoints: is an empty list; give at least one, or leave the key out"],
  ["{ type: custom, process: {} }", "servers.a.process.command: is missing; add it"],
  ["{ type: magic, timeouts: { requestMs: 0 } }", "servers.a.timeouts.requestMs: is 0; give a number >= 1"],
])("a server %s is refused", async (server, message) => {
  const path = await file("fleet.yaml", `servers:\n  a: ${server}\n`);
  const [code, text] = (await wrong(path)) as [string, string];
  expect(code).toBe("CONFIG_INVALID");
  expect(text.replace(/^.*?:\d+:\d+: /, "")).toBe(message);
});

test.each([
  [
    "{ host: 0.0.0.0 }",
    'gateway.host: is "0.0.0.0", which other machines reach, without authentication; add gateway.auth with at least one bearer token, or listen on 127.0.0.1',
  ],
  [
    "{ auth: { bearerTokens: [{ name: ci, token: abc }] } }",
    "gateway.auth.bearerTokens[0].token: holds a secret itself; refer to an environment variable as ${NAME}, or to a file as file:PATH",
  ],
  [
    "{ shared: { redis: 'redis://user:secret@cache:6379' } }",
    "gateway.shared.redis: holds a secret itself; refer to an environment variable as ${NAME}, or to a file as file:PATH, with the whole URL",
  ],
  [
    "{ shared: { redis: 'cache:6379' } }",
    "gateway.shared.redis: is no URL of Redis; write redis://host:6379, or rediss:// for TLS",
  ],
  [
    "{ session: { keys: [{ id: a, key: abc }] } }",
    "gateway.session.keys[0].key: holds a secret itself; refer to an environment variable as ${NAME}, or to a file as file:PATH",
  ],
])("a gateway %s is refused", async (gateway, message) => {
  const path = await file("fleet.yaml", `gateway: ${gateway}\nservers: { a: { type: magic } }\n`);
  expect((await wrong(path))?.[1].replace(/^.*?:\d+:\d+: /, "")).toBe(message);
});

test("JSON is read like YAML, with its lines and columns; syntax errors and doubled keys too", async () => {
  const json = await file("fleet.json", '{\n  "servers": {\n    "a": { "type": "magic", "scalling": {} }\n  }\n}\n');
  expect(await wrong(json)).toEqual([
    "CONFIG_INVALID",
    `${json}:3:29: servers.a.scalling: is not a known key; did you mean "scaling"?`,
  ]);
  const doubled = await file("doubled.yaml", "servers: {}\nservers: {}\n");
  expect(await wrong(doubled)).toEqual([
    "CONFIG_INVALID",
    `${doubled}:2:1: Map keys must be unique; correct the syntax`,
  ]);
  const missing = join(folder, "none.yaml");
  expect((await wrong(missing))?.[0]).toBe("CONFIG_UNREADABLE");
});

test("references are resolved, secrets are reported for redaction, and what is missing is named", async () => {
  await file("token.txt", "t0ken\n");
  const path = await file(
    "fleet.yaml",
    `gateway: { auth: { bearerTokens: [{ name: ci, token: "file:token.txt" }] } }
servers:
  a:
    type: custom
    process: { command: "\${SHELL_NAME:-sh}", args: ["$\${plain}"], env: { API_KEY: "\${KEY}", MODE: fast } }
`,
  );
  const { config, secrets, files } = await loadConfig(path, { env: { KEY: "k3y" } });
  expect(config.gateway.auth).toEqual({ bearerTokens: [{ name: "ci", token: "t0ken" }] });
  expect(config.servers[0]?.process).toEqual({
    command: "sh",
    args: ["${plain}"],
    env: { API_KEY: "k3y", MODE: "fast" },
  });
  expect([...secrets].sort()).toEqual(["k3y", "t0ken"]);
  expect(files).toEqual([path, join(folder, "token.txt")]);
  expect(await wrong(path)).toEqual([
    "REFERENCE_UNRESOLVED",
    `${path}:5:74: servers.a.process.env.API_KEY: the variable KEY is not set; set it, or write \${KEY:-default}`,
  ]);
});

test("every variable that is not set and every file that is not there is named at once, with its place", async () => {
  await file("many/gateway.yaml", "auth:\n  bearerTokens:\n    - { name: ci, token: file:none.txt }\n");
  const path = await file(
    "many/servers/a.yaml",
    'type: custom\nprocess:\n  command: "${ONE}"\n  args: ["${TWO} ${THREE}"]\n',
  );
  const missing = (name: string) => `the variable ${name} is not set; set it, or write \${${name}:-default}`;
  const none = join(folder, "none.txt");
  const [code, text = ""] = (await wrong(join(folder, "many"))) ?? [];
  // What Node.js says of the file comes from another realm here.
  expect([
    code,
    text
      .replace(/\(.*ENOENT.*?\)/, "(ENOENT)")
      .split("\n")
      .sort(),
  ]).toEqual([
    "REFERENCE_UNRESOLVED",
    [
      `${join(folder, "many/gateway.yaml")}:3:19: gateway.auth.bearerTokens[0].token: the file ${none} cannot be read ` +
        "(ENOENT); create it or correct the path",
      `${path}:3:3: servers.a.process.command: ${missing("ONE")}`,
      `${path}:4:10: servers.a.process.args[0]: ${missing("TWO")}`,
      `${path}:4:10: servers.a.process.args[0]: ${missing("THREE")}`,
    ].sort(),
  ]);
});

test.each([
  ["${API}/mcp", { API: "https://h" }, "https://h/mcp", "http"],
  ["${API:-https://api.example.com}/mcp", {}, "https://api.example.com/mcp", "http"],
  ["${API:-wss://api.example.com}/mcp", {}, "wss://api.example.com/mcp", "ws"],
  ["${API}", { API: "tcp://127.0.0.1:9" }, "tcp://127.0.0.1:9", "tcp"],
  ["http://${HOST}:${PORT}/mcp", { HOST: "h", PORT: "81" }, "http://h:81/mcp", "http"],
])("an address can be a reference, in whole or in part: %s", async (endpoint, env, resolved, protocol) => {
  for (const source of [`endpoints: ["${endpoint}"]`, `discovery: { static: [{ url: "${endpoint}" }] }`]) {
    const path = await file("fleet.yaml", `servers: { a: { type: custom, ${source} } }\n`);
    const [server] = (await loadConfig(path, { env })).config.servers;
    expect([server?.endpoints ?? server?.discovery?.static?.map(({ url }) => url), server?.protocol]).toEqual([
      [resolved],
      protocol,
    ]);
  }
});

test("a reference that brings no address, or one of another protocol, is refused when it is known", async () => {
  const path = await file("fleet.yaml", 'servers: { a: { type: custom, endpoints: ["${ONE}", "${TWO}"] } }\n');
  const refused = async (env: Record<string, string>) => {
    const error = await loadConfig(path, { env }).catch((thrown: Error) => thrown);
    return (error as Error).message;
  };
  expect(await refused({ ONE: "ftp://h", TWO: "http://h" })).toBe(
    `${path}: servers.a.endpoints[0]: is "ftp://h", which is no address; write it like https://host/mcp or ws://host/ws or tcp://host:9000`,
  );
  expect(await refused({ ONE: "ws://h/", TWO: "http://h/" })).toBe(
    `${path}: servers.a.endpoints[1]: is http://h/, which speaks another protocol than the first; ` +
      "use one protocol (the first endpoint says ws), or make a server of its own of it",
  );
});

test("what looks like a reference reaches the server as text where it is escaped", async () => {
  const env = '{ PLAIN: "$${HOME}", URL: "$file:./dev.db", BOTH: "$file:${NAME}" }';
  const path = await file(
    "fleet.yaml",
    `servers:\n  a:\n    type: custom\n    process: { command: node, env: ${env} }\n`,
  );
  const { config, files } = await loadConfig(path, { env: { NAME: "x.db" } });
  expect(config.servers[0]?.process?.env).toEqual({ PLAIN: "${HOME}", URL: "file:./dev.db", BOTH: "file:x.db" });
  expect(files).toEqual([path]);
});

test("a folder holds the gateway and one file per server; mistakes name the file they are in", async () => {
  await file("gateway.json", '{ "port": 9001 }');
  await file("servers/b.yaml", "type: magic\n");
  await file("servers/a.json", '{ "type": "context7" }');
  const { config } = await loadConfig(folder);
  expect([config.gateway.port, config.servers.map(({ name, type }) => [name, type])]).toEqual([
    9001,
    [
      ["a", "context7"],
      ["b", "magic"],
    ],
  ]);
  const bad = await file("servers/b.yaml", "type: magic\nx: 1\n");
  expect((await wrong(folder))?.[1]).toMatch(
    new RegExp(`^${bad}:2:1: servers.b.x: is not a known key; known keys are type, version,`),
  );
});

test("expressions are compiled where they stand, in a file and in a folder; a reference is compiled when it is known", async () => {
  const rules = `authorization:
  rules:
    - { effect: allow, when: '"admin" in caller.roles' }
    - { effect: allow, when: "caller.roles +" }
    - { effect: deny, tools: [drop], when: "args.amont < 10 && nobody" }
    - { effect: deny, when: "$\{POLICY}" }
`.replace("\\", "");
  const fix = 'write it in CEL over caller, server, method, tool, name and args, like `"admin" in caller.roles`';
  const problems = (path: string, line: number, column: number) =>
    [
      `${path}:${line}:${column}: gateway.authorization.rules[1].when: is "caller.roles +", which is no condition: Unexpected token: EOF; ${fix}`,
      `${path}:${line + 1}:${column + 14}: gateway.authorization.rules[2].when: is "args.amont < 10 && nobody", which is no condition: Unknown variable: nobody; ${fix}`,
    ].join("\n");
  const indented = rules.replaceAll(/^/gm, "  ").trimEnd();
  const one = await file("fleet.yaml", `gateway:\n${indented}\nservers: { a: { type: magic } }\n`);
  expect(await wrong(one)).toEqual(["CONFIG_INVALID", problems(one, 5, 26)]);
  const gateway = await file("folder/gateway.yaml", rules);
  await file("folder/servers/a.yaml", "type: magic\n");
  expect(await wrong(join(folder, "folder"))).toEqual(["CONFIG_INVALID", problems(gateway, 4, 24)]);
});
