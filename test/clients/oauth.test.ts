import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { AuthorizationServer } from "../support/authorization-server.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";
import { testWith } from "../support/needs.ts";
import type { Need } from "../support/present.ts";
import { SharedHost } from "../support/shared-host.ts";
import { claudeCode } from "./oauth-claude.ts";
import { counted, type Errands, python, typeScriptV1, typeScriptV2 } from "./oauth-errands.ts";
import { inspectorCli, mcpRemote } from "./oauth-programs.ts";

// Real clients that are given a URL and nothing else, and a real authorization server. Two gateways on one host, one behind a prefix.
let host: SharedHost;
let authorization: AuthorizationServer;
let gateways: TestGateway[];
beforeAll(async () => {
  host = await SharedHost.start();
  // Clients register for the scopes of their first login; many servers let them ask for more, as these step-ups need.
  authorization = await AuthorizationServer.start({
    anyScope: true,
    // Claude Code's would be fetched from the internet.
    metadataDocuments: false,
    shortLived: `${host.url}/mcp/brief`,
  });
  gateways = await Promise.all(
    ["", "/tools"].map((prefix) =>
      TestGateway.start({
        gateway: {
          auth: {
            jwt: [{ issuer: authorization.issuer, clockSkewSeconds: 0 }],
            oauth: { resource: `${host.url}${prefix}/mcp`, scopes: ["read"] },
            listeners: { mcp: { scopes: ["read"] } },
          },
        },
        // Clients come and go; none keeps an instance from the next one.
        servers: {
          notes: statefulServer({ isolation: "shared" }),
          brief: statefulServer({ isolation: "shared" }),
          wr: statefulServer({ isolation: "shared", auth: { scopes: ["write"] } }),
        },
      }),
    ),
  );
  for (const [index, prefix] of ["", "/tools"].entries()) host.add(prefix, (gateways[index] as TestGateway).url);
});
afterAll(async () => {
  await host.close();
  await Promise.all(gateways.map((gateway) => gateway.close()));
  await authorization.close();
});
beforeEach(() => {
  authorization.asked.length = 0;
  authorization.granted.length = 0;
});

/** What was granted for which paths, and the scopes that were asked for, besides the one that lets a client refresh. */
const granted = () => authorization.granted.map(({ grant, resource }) => [grant, resource?.slice(host.url.length)]);
const asked = () => authorization.asked.map((scopes) => scopes.replace("offline_access ", ""));
const clients: [string, Errands, ...Need[]][] = [
  ["@modelcontextprotocol/sdk (TypeScript, v1)", typeScriptV1],
  ["@modelcontextprotocol/client (TypeScript, v2)", typeScriptV2],
  ["mcp (Python)", python("sdk"), "the Python clients and servers"],
  ["fastmcp (Python)", python("fastmcp"), "the Python clients and servers"],
  ["the Inspector", inspectorCli],
  ["mcp-remote", mcpRemote, "mcp-remote (MCP_REMOTE)"],
];

describe.each(clients)("%s", (_name, run, ...needs) => {
  const it = needs.length === 0 ? test : testWith(...needs);

  it("logs in once at a server with scopes of its own", async () => {
    const calls = [{ tool: "count" }];
    expect(await run({ url: `${host.url}/mcp/wr`, transport: "http", calls })).toEqual([counted]);
    expect([asked(), granted()]).toEqual([["read write"], [["authorization_code", "/mcp/wr"]]]);
  });

  it("steps up at /mcp when a server needs more, and keeps what it had", async () => {
    const calls = [{ tool: "notes__count" }, { tool: "wr__count" }, { tool: "notes__count" }];
    // With a refresh token v1 refreshes instead of asking for more, and gives up.
    const refreshless = run === typeScriptV1;
    expect(await run({ url: `${host.url}/mcp`, transport: "http", refreshless, calls })).toEqual([
      counted,
      counted,
      counted,
    ]);
    // The Inspector asks at once for all that the metadata names.
    const logins = run === inspectorCli ? ["read write"] : ["read", "read write"];
    expect(asked()).toEqual(logins);
    expect(granted()).toEqual(logins.map(() => ["authorization_code", "/mcp"]));
  });

  it("goes on with a refreshed token when its own has expired", async () => {
    const calls = [{ tool: "count" }, { tool: "count", expired: true }];
    expect(await run({ url: `${host.url}/mcp/brief`, transport: "http", calls })).toEqual([counted, counted]);
    // Some refresh ahead of time.
    const [first, ...then] = granted().map(([grant]) => grant);
    expect([first, new Set(then)]).toEqual(["authorization_code", new Set(["refresh_token"])]);
  });

  it("logs in behind a path prefix, beside another gateway of the same host", async () => {
    const calls = [{ tool: "count" }];
    expect(await run({ url: `${host.url}/tools/mcp/wr`, transport: "http", calls })).toEqual([counted]);
    expect([asked(), granted()]).toEqual([["read write"], [["authorization_code", "/tools/mcp/wr"]]]);
  });

  it("logs in at /sse, with and without a prefix", async () => {
    const calls = [{ tool: "count" }];
    expect(await run({ url: `${host.url}/sse/wr`, transport: "sse", calls })).toEqual([counted]);
    expect(await run({ url: `${host.url}/tools/sse/wr`, transport: "sse", calls })).toEqual([counted]);
    expect(asked()).toEqual(["read write", "read write"]);
    expect(granted()).toEqual([
      ["authorization_code", "/sse/wr"],
      ["authorization_code", "/tools/sse/wr"],
    ]);
  });
});

// By a command: CLAUDE_CODE=$(command -v claude) npm test -- test/clients/oauth.test.ts. It calls no tool without an account.
if (process.env.CLAUDE_CODE !== undefined) {
  describe("Claude Code", () => {
    const loggedIn = ["Needs authentication", "Authenticated", "Connected"];

    test("logs in once at a server with scopes of its own, and comes back when its token has expired", async () => {
      expect(await claudeCode(`${host.url}/mcp/wr`, "http")).toEqual(loggedIn);
      expect(asked()).toEqual(["read write"]);
      expect(await claudeCode(`${host.url}/mcp/brief`, "http", true)).toEqual([...loggedIn, "Connected"]);
    });

    test("logs in behind a path prefix and at /sse", async () => {
      expect(await claudeCode(`${host.url}/tools/mcp/wr`, "http")).toEqual(loggedIn);
      expect(await claudeCode(`${host.url}/sse/wr`, "sse")).toEqual(loggedIn);
      expect(await claudeCode(`${host.url}/tools/sse/wr`, "sse")).toEqual(loggedIn);
    });
  });
}
