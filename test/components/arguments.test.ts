import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { MCPGateway, type MCPGatewayArgs, MCPServerFleet, type MCPServerFleetArgs } from "../../index.ts";
import { graphOf } from "../support/graph.ts";

// What a configuration file can say of a server and a gateway, programs can say of a fleet and its gateway.
const reference = "file:/run/secrets/mcp-fleet/ada";
const resilience = {
  loadBalancer: { strategy: "weighted", zone: "a", slowStartMs: 1000 },
  circuitBreaker: { errorPercent: 20, slowCallMs: 900, openMs: 2000 },
  retry: { attempts: 2, hedgeAfterMs: 300, idempotentTools: ["look"] },
  healthCheck: { intervalMs: 3000, outlier: { consecutiveErrors: 3 } },
  concurrency: { maxInFlight: 64, maxQueue: 8, adaptive: true },
  fallback: ["remote"],
  rateLimiting: { windowMs: 1000, maxRequests: 50, tools: { look: { maxRequests: 5 } } },
  auth: { scopes: ["notes"] },
  integrity: { mode: "warn" },
} satisfies Partial<MCPServerFleetArgs>;
const protection = {
  workers: "auto",
  toolSearch: true,
  auth: {
    bearerTokens: [{ name: "ada", token: reference }],
    jwt: [{ issuer: "https://login.example.com", audience: ["tools"], jwksUri: "https://login.example.com/keys" }],
  },
  authorization: { rules: [{ effect: "allow", servers: ["notes"], when: '"admin" in caller.roles' }] },
  rateLimiting: { caller: { windowMs: 60_000, maxRequests: 600 } },
  session: { keys: [{ id: "1", key: "file:/run/secrets/mcp-fleet/seal" }] },
  cors: { origins: ["https://app.example.com"] },
  connections: { maxConnections: 500, trustedProxies: ["10.0.0.0/8"] },
} satisfies Partial<MCPGatewayArgs>;

/** A component that refuses its arguments has already been announced to the engine. */
const refuses = (make: () => unknown, message: string) => graphOf(() => expect(make).toThrow(message));
const value = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

describe.each(["docker", "kubernetes"] as const)("on %s", (platform) => {
  test("resilience and protection stand in the configuration as they were given", async () => {
    let configuration = "";
    const graph = await graphOf(async () => {
      const notes = new MCPServerFleet("notes", {
        ...{ platform, type: "custom", container: { image: "notes:1", port: 3000 }, ...resilience },
      });
      const found = new MCPServerFleet("remote", {
        ...{ platform, type: "custom", discovery: { dns: { name: "mcp.example.com", port: 443 } } },
      });
      new MCPGateway("gateway", {
        ...{ platform, container: { image: "mcp-fleet:1" }, secrets: { ada: "token", seal: "key" } },
        ...{ ...protection, fleets: [notes, found] },
      });
      configuration = await value(notes.configuration);
    });
    expect(JSON.parse(configuration)).toMatchObject(resilience);
    const text = JSON.stringify(graph.map(({ inputs }) => inputs));
    const said = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
      .map(([, inner]) => JSON.parse(`"${inner}"`) as string)
      .find((one) => one.startsWith("{") && one.includes('"gateway"'));
    const { gateway, servers } = JSON.parse(said as string);
    expect(gateway).toMatchObject(protection);
    expect(servers.notes).toMatchObject(resilience);
    expect(servers.remote).toEqual({ type: "custom", discovery: { dns: { name: "mcp.example.com", port: 443 } } });
  });
});

test.each([
  ["a number is one", "2", 2],
  ["a word stays one", "auto", "auto"],
])("workers: %s", async (_name, workers, expected) => {
  const graph = await graphOf(() => {
    const remote = new MCPServerFleet("remote", { type: "custom", endpoints: ["https://mcp.example.com/mcp"] });
    new MCPGateway("gateway", { workers, fleets: [remote] });
  });
  expect(
    JSON.stringify(graph.find(({ type }) => type.includes("Gateway") && !type.startsWith("mcp-fleet"))?.inputs),
  ).toContain(`"workers":${JSON.stringify(expected)}`);
});

describe("expressions of rules are compiled at preview", () => {
  const fix = 'write it in CEL over caller, server, method, tool, name and args, like `"admin" in caller.roles`';
  const wrong = `authorization.rules[1].when: is "caler.roles", which is no condition: Unknown variable: caler; ${fix}`;
  const late = pulumi.output("late");

  test.each<[string, Partial<MCPGatewayArgs>]>([
    ["process", {}],
    ["docker", { container: { image: "mcp-fleet:1" } }],
    ["kubernetes", { container: { image: "mcp-fleet:1" } }],
  ])("on %s, whatever else is known only later", (platform, args) => {
    const rules = [
      { effect: "allow", when: '"admin" in caller.roles' },
      { effect: "deny", callers: [late], when: "caler.roles" },
    ];
    const given = { platform, ...args, auth: protection.auth, session: protection.session, authorization: { rules } };
    const secrets = platform === "process" ? {} : { secrets: { ada: "token", seal: "key" } };
    return graphOf(() => {
      const remote = { platform, type: "custom" as const, endpoints: ["https://mcp.example.com"] };
      const fleets = [new MCPServerFleet("remote", remote)];
      expect(() => new MCPGateway("gateway", { ...given, ...secrets, fleets })).toThrow(
        `MCPGateway "gateway": ${wrong}`,
      );
    });
  });
});

describe("limits", () => {
  const limits = { memoryMiB: 512, openFiles: 256 };

  test.each(["docker", "kubernetes", "systemd"])(
    "of a fleet on %s are its server host's, not the gateway's",
    async (platform) => {
      let configuration = "";
      const graph = await graphOf(async () => {
        const container = { ...(platform === "systemd" ? {} : { image: "notes:1" }), command: "notes" };
        const notes = new MCPServerFleet("notes", { platform, type: "custom", limits, container });
        configuration = await value(notes.configuration);
      });
      expect(JSON.parse(configuration).limits).toBeUndefined();
      expect(JSON.stringify(graph).replaceAll("\\", "")).toContain('"limits":{"memoryMiB":512,"openFiles":256}');
    },
  );

  test.each(["docker", "systemd"])("a sandbox is refused on %s", (platform) => {
    const container = { ...(platform === "systemd" ? {} : { image: "notes:1" }), command: "notes" };
    return refuses(
      () => new MCPServerFleet("notes", { platform, type: "custom", sandbox: {}, container }),
      'MCPServerFleet "notes": sandbox is given, but belongs to platform "process"; remove it; its containers or services confine the server',
    );
  });

  test("are refused where nothing of ours starts the server", async () => {
    const container = { image: "notes:1", port: 3000 };
    const fleet = (more: object) => () => new MCPServerFleet("notes", { type: "custom", limits, ...more });
    await refuses(
      fleet({ platform: "docker", container }),
      'MCPServerFleet "notes": limits is given, but the container\'s program listens itself; remove it; the platform bounds what it runs',
    );
    await refuses(
      fleet({ endpoints: ["https://mcp.example.com/mcp"] }),
      'MCPServerFleet "notes": limits: is set for a server that something else runs; remove it; set it where the server runs',
    );
  });
});

describe("tls towards a server that something else runs", () => {
  const endpoints = ["https://mcp.example.com/mcp"];
  const fleet = (more: object) => () => new MCPServerFleet("remote", { type: "custom", ...more });
  const beneath = (name: string) => `/run/secrets/mcp-fleet/${name}`;

  test.each(["process", "docker", "kubernetes"])("stands in the configuration on %s", async (platform) => {
    const tls = { caFile: beneath("ca"), certFile: beneath("cert"), keyFile: beneath("key"), serverName: "mcp" };
    let configuration = "";
    await graphOf(async () => {
      const remote = new MCPServerFleet("remote", { type: "custom", platform, endpoints, tls });
      configuration = await value(remote.configuration);
    });
    expect(JSON.parse(configuration)).toEqual({ type: "custom", endpoints, tls });
  });

  test.each<[string, object, string]>([
    [
      "a file that the gateway has not",
      { platform: "docker", endpoints, tls: { caFile: "/etc/ca.crt" } },
      'tls.caFile is "/etc/ca.crt", which the gateway does not have; add its content to the gateway\'s secrets, and write /run/secrets/mcp-fleet/NAME',
    ],
    [
      "files on ECS",
      { platform: "aws", endpoints, tls: { caFile: beneath("ca") } },
      'tls.caFile is "/run/secrets/mcp-fleet/ca", but secrets are no files on ECS; remove it, or run the gateway elsewhere',
    ],
    [
      "a fleet of the platform's own",
      { platform: "docker", container: { image: "notes:1", command: "notes" }, tls: { caFile: beneath("ca") } },
      "tls is given, but the platform connects this fleet and its gateway; remove it, or give endpoints or discovery",
    ],
    [
      "an address without TLS",
      { endpoints: ["http://mcp/mcp"], tls: { serverName: "mcp" } },
      "tls: stands beside http://mcp/mcp, which has no TLS; write https:// or wss://, or remove tls",
    ],
    [
      "a process",
      { process: { command: "notes" }, tls: { serverName: "mcp" } },
      "tls: is set for a server that is reached over stdio; remove it",
    ],
    [
      "a certificate without its key",
      { endpoints, tls: { certFile: "/c" } },
      "tls.keyFile: is missing beside certFile; add it",
    ],
    [
      "a key without its certificate",
      { endpoints, tls: { keyFile: "/k" } },
      "tls.certFile: is missing beside keyFile; add it",
    ],
    ["an empty block", { endpoints, tls: {} }, "tls: is empty; add caFile, certFile and keyFile, or serverName"],
    [
      "TCP",
      { discovery: { dns: { name: "mcp", port: 1 } }, protocol: "tcp", tls: { serverName: "mcp" } },
      "tls: stands beside protocol tcp, which has no TLS; use http or ws, or remove tls",
    ],
  ])("%s is refused", (_name, args, message) => {
    return refuses(fleet(args), `MCPServerFleet "remote": ${message}`);
  });
});

describe("no setting of a configuration file is out of a program's reach", () => {
  const read = (path: string) => JSON.parse(readFileSync(join(import.meta.dirname, path), "utf8"));
  const { resources } = read("../../components/package.schema.json");
  const { gateway, servers } = read("../../runtime/config/schema/mcp-fleet.schema.json").properties;
  const [server] = Object.values(servers.patternProperties) as { properties: object }[];
  test.each([
    // The port of its own for TCP and the admin socket are of a machine that programs do not know.
    ["MCPGateway", gateway, ["listeners", "admin"]],
    ["MCPServerFleet", server, []],
  ])("%s", (component, { properties }, left) => {
    const inputs = Object.keys(resources[`mcp-fleet:index:${component}`].inputProperties);
    expect(Object.keys(properties).filter((setting) => !inputs.includes(setting))).toEqual(left);
  });
});
