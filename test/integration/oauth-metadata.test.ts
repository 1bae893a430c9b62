import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { request } from "undici";
import { AuthorizationServer } from "../support/authorization-server.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";
import { postInitialize, tokenFor } from "../support/oauth-client.ts";

// What clients are told before they have the right token: where tokens come from, and which scopes to ask for.
const resource = "https://gw.example/tools/mcp";
const wellKnown = "/.well-known/oauth-protected-resource";
let authorization: AuthorizationServer;
let it: TestGateway;
beforeAll(async () => {
  const machine = { redirect_uris: [], response_types: [], grant_types: ["client_credentials"] };
  const clients = [{ ...machine, client_id: "agent", client_secret: "agent-secret" }] as never;
  authorization = await AuthorizationServer.start({ clients });
  it = await TestGateway.start({
    gateway: {
      auth: {
        jwt: [{ issuer: `${authorization.issuer}/` }],
        oauth: { resource, scopes: ["read"] },
        listeners: { mcp: { scopes: ["read"] } },
      },
      authorization: {
        default: "deny",
        rules: [
          { effect: "allow", servers: ["wr"] },
          { effect: "allow", servers: ["ev"], tools: ["count"] },
          { effect: "allow", servers: ["ev"], tools: ["where"], scopes: ["admin"] },
        ],
      },
    },
    servers: { ev: statefulServer(), wr: statefulServer({ auth: { scopes: ["write"] } }) },
  });
});
afterAll(async () => {
  await it.close();
  await authorization.close();
});

const get = async (path: string, method: "GET" | "OPTIONS" = "GET", headers: Record<string, string> = {}) => {
  const answer = await request(it.url + path, { method, headers });
  const text = await answer.body.text();
  return { status: answer.statusCode, headers: answer.headers, body: text === "" ? undefined : JSON.parse(text) };
};
const challengeAt = async (path: string, token?: string) => {
  const { statusCode, headers, body } = await postInitialize(it.url + path, token);
  await body.dump();
  return [statusCode, headers["www-authenticate"]];
};
const named = (path: string, scopes: string, error?: string) =>
  `Bearer ${error === undefined ? "" : `error="${error}", `}resource_metadata="https://gw.example${wellKnown}${path}", scope="${scopes}"`;

describe("scopes", () => {
  test("the first challenge of a server with scopes of its own names these too", async () => {
    expect(await challengeAt("/mcp/wr")).toEqual([401, named("/tools/mcp/wr", "read write")]);
    expect(await challengeAt("/mcp/ev")).toEqual([401, named("/tools/mcp/ev", "read")]);
    expect(await challengeAt("/mcp")).toEqual([401, named("/tools/mcp", "read")]);
    expect(await challengeAt("/mcp/nope")).toEqual([401, named("/tools/mcp/nope", "read")]);
    // An expired token is like none.
    expect(await challengeAt("/mcp/wr", "wrong")).toEqual([401, named("/tools/mcp/wr", "read write", "invalid_token")]);
  });

  test("the metadata of a server names what it and its rules need, that of all servers what any of them needs", async () => {
    const supported = async (path: string) => (await get(`${wellKnown}${path}`)).body.scopes_supported;
    expect(await supported("/mcp/wr")).toEqual(["read", "write"]);
    expect(await supported("/mcp/ev")).toEqual(["read", "admin"]);
    expect(await supported("/mcp/nope")).toEqual(["read"]);
    expect(await supported("/mcp")).toEqual(["read", "write", "admin"]);
  });

  test("a step-up names what the token has besides what is missing, whichever requirement is not met", async () => {
    const at = async (scope: string) => challengeAt("/mcp/wr", await tokenFor(authorization, resource, scope));
    const both = [403, named("/tools/mcp/wr", "read write", "insufficient_scope")];
    expect([await at("read"), await at("write")]).toEqual([both, both]);
    expect((await at("read write"))[0]).toBe(200);
  });
});

test("a rule's scopes are asked for at the path of the call, besides those that the token has", async () => {
  const token = await tokenFor(authorization, resource, "read");
  const call = async (path: string, name: string) => {
    const { statusCode, headers, body } = await request(it.url + path, {
      method: "POST",
      headers: {
        ...{ authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...{ accept: "application/json, text/event-stream", "mcp-protocol-version": "2026-07-28" },
        ...{ "mcp-method": "tools/call", "mcp-name": name },
      },
      body: JSON.stringify({
        ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
        params: {
          ...{ name, arguments: {} },
          _meta: {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
          },
        },
      }),
    });
    await body.dump();
    return [statusCode, headers["www-authenticate"]];
  };
  expect(await call("/mcp/ev", "where")).toEqual([403, named("/tools/mcp/ev", "admin read", "insufficient_scope")]);
  expect(await call("/mcp", "ev__where")).toEqual([403, named("/tools/mcp", "admin read", "insufficient_scope")]);
  expect(await call("/mcp", "wr__count")).toEqual([403, named("/tools/mcp", "read write", "insufficient_scope")]);
  expect(await call("/mcp/ev", "count")).toEqual([200, undefined]);
});

describe("paths", () => {
  const about = async (path: string) => {
    const { status, body } = await get(wellKnown + path);
    return status === 200 ? body.resource : status;
  };

  test("behind a path prefix the metadata is where RFC 9728 has it, and where a proxy that removes the prefix asks", async () => {
    expect(await about("/tools/mcp")).toBe(resource);
    expect(await about("/tools/mcp/ev")).toBe(`${resource}/ev`);
    expect(await about("/tools/mcp/ev/")).toBe(`${resource}/ev`);
    expect(await about("/mcp/ev")).toBe(`${resource}/ev`);
    expect(await about("")).toBe(resource);
  });

  test("/sse is a resource of its own, whose tokens are taken and whose messages stay behind the prefix", async () => {
    expect(await challengeAt("/sse/ev")).toEqual([401, named("/tools/sse/ev", "read")]);
    expect(await about("/tools/sse/ev")).toBe("https://gw.example/tools/sse/ev");
    expect(await about("/sse")).toBe("https://gw.example/tools/sse");
    const token = await tokenFor(authorization, "https://gw.example/tools/sse/ev", "read");
    const authorized = { authorization: `Bearer ${token}` };
    const stream = await request(`${it.url}/sse/ev`, { headers: authorized });
    const reader = stream.body[Symbol.asyncIterator]();
    const said = /^event: endpoint\ndata: (\S+)\n\n$/.exec(String((await reader.next()).value))?.[1] ?? "";
    expect(said).toMatch(/^\.\.\/messages\/ev\?sessionId=/);
    const { href } = new URL(said, `${it.url}/sse/ev`);
    const post = async (url: string) => {
      const { statusCode, body } = await postInitialize(url, token);
      await body.dump();
      return statusCode;
    };
    expect(await post(href)).toBe(202);
    expect(await post(href.replace("/ev", "/wr"))).toBe(401);
    stream.body.on("error", () => {}).destroy();
  });

  test("what is not there is not found, whoever asks; pages of every origin read what is there", async () => {
    const origin = { origin: "https://page.example" };
    const asked = { "access-control-request-method": "GET", "access-control-request-headers": "mcp-protocol-version" };
    const preflight = await get(`${wellKnown}/mcp`, "OPTIONS", { ...origin, ...asked });
    expect([preflight.status, preflight.headers["access-control-allow-origin"]]).toEqual([204, "*"]);
    expect(preflight.headers["access-control-allow-headers"]).toBe("*");
    const page = await get(`${wellKnown}/mcp`, "GET", origin);
    expect([page.status, page.headers["access-control-allow-origin"]]).toEqual([200, "*"]);
    for (const path of [
      "/oauth-authorization-server",
      "/openid-configuration",
      "/oauth-protected-resource/mcp/No_Name",
    ])
      expect((await get(`/.well-known${path}`)).status).toBe(404);
    expect((await get("/api/v1/servers", "GET", origin)).status).toBe(403);
  });

  test("a path that can be no server's stands in no challenge", async () => {
    expect(await challengeAt("/mcp/a,b'c")).toEqual([401, named("/tools/mcp", "read")]);
    expect((await challengeAt("/mcp/a%22b"))[0]).toBe(400);
  });
});

test("audiences and issuers that differ by the slash at their end are the same", async () => {
  const outcome = async (audience: string, path: string) =>
    (await challengeAt(path, await tokenFor(authorization, audience, "read")))[0];
  expect(await outcome(`${resource}/`, "/mcp")).toBe(200);
  expect(await outcome(`${resource}/ev/`, "/mcp/ev")).toBe(200);
  expect(await outcome(`${resource}/ev/`, "/mcp")).toBe(401);
  expect(await outcome("https://gw.example/tools/sse", "/mcp")).toBe(200);
  expect(await outcome("https://gw.example/mcp", "/mcp")).toBe(401);
});
