import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { bearerChallenge } from "../../../../runtime/upstreams/credentials/challenge.ts";
import { discover } from "../../../../runtime/upstreams/credentials/discovery.ts";
import { credentialFailure } from "../../../../runtime/upstreams/credentials/failure.ts";
import { OAuthHttp } from "../../../../runtime/upstreams/credentials/oauth-http.ts";

// A server on the internet, played by a fetch; what it makes the gateway ask is noted.
const url = new URL("https://mcp.public.example/mcp");
const known = "https://mcp.public.example/.well-known/oauth-protected-resource/mcp";
let servers: Server[] = [];
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});

async function outcome(answers: Readonly<Record<string, unknown>>, challenge?: string, issuer?: string) {
  const asked: string[] = [];
  const answer = async (address: string | URL) => {
    const found = answers[String(address)];
    asked.push(String(address));
    if (found instanceof Response) return found;
    return found === undefined ? new Response(null, { status: 404 }) : new Response(JSON.stringify(found));
  };
  const http = new OAuthHttp({ ask: answer, others: answer, named: [url.href] });
  const error = await discover(http, url, bearerChallenge(challenge), issuer).then(
    () => undefined,
    (cause: unknown) => credentialFailure("docs", [], url, cause).message,
  );
  return { error: error?.replace(/^docs: no access to https:\/\/mcp\.public\.example: (.*); check .*$/, "$1"), asked };
}

test.each([
  "http://127.0.0.1:2375/containers/json",
  "https://169.254.169.254/latest/meta-data/iam",
  "https://other.example/.well-known/oauth-protected-resource/mcp",
  "https://mcp.public.example:8443/x",
  "https://mcp.public.example.evil.example/x",
  "https://mcp.public.example@evil.example/x",
  "//evil.example/x",
  "file:///etc/passwd",
  "not a URL",
])("metadata at %j, which is not the server's own origin, is not asked for", async (place) => {
  expect(await outcome({}, `Bearer resource_metadata="${place}"`)).toEqual({
    error: "resource_metadata, which the server names, is not on the server's own origin",
    asked: [],
  });
});

test("metadata on the server's own origin is taken, wherever it lies there", async () => {
  const place = "https://mcp.public.example/elsewhere";
  const as = { issuer: "https://as.example", token_endpoint: "https://as.example/token" };
  const answers = {
    [place]: { resource: url.href, authorization_servers: ["https://as.example"] },
    "https://as.example/.well-known/oauth-authorization-server": as,
  };
  expect(await outcome(answers, `Bearer resource_metadata="${place}"`)).toEqual({
    error: undefined,
    asked: [place, "https://as.example/.well-known/oauth-authorization-server"],
  });
});

test.each<[string, unknown, string]>([
  [
    "of another resource",
    { resource: "https://canary.example" },
    "the server's resource metadata is about another resource",
  ],
  ["that is no JSON", new Response("canary-internal"), "the server's resource metadata is about another resource"],
  [
    "with a list of other things",
    { resource: url.href, authorization_servers: [{ canary: 1 }] },
    "the server's resource metadata is none of RFC 9728",
  ],
  [
    "with an issuer that is no URL",
    { resource: url.href, authorization_servers: ["canary"] },
    "the authorization server that the server names is no URL of one",
  ],
  [
    "with a user in its issuer",
    { resource: url.href, authorization_servers: ["https://canary@as.example"] },
    "the authorization server that the server names is no URL of one",
  ],
])("metadata %s is told without what stands in it", async (_what, metadata, error) => {
  expect(await outcome({ [known]: metadata })).toEqual({ error, asked: [known] });
});

test("what an authorization server answers in place of JSON is not repeated", async () => {
  const at = "https://as.example/.well-known/oauth-authorization-server";
  const metadata = { resource: url.href, authorization_servers: ["https://as.example"] };
  const { error } = await outcome({
    [known]: metadata,
    [at]: new Response("canary-internal", { headers: { "content-type": "application/json" } }),
  });
  expect(error).toMatch(/JSON/);
  expect(error).not.toContain("canary");
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("an authorization server named by a server on the internet is not asked on this machine, and redirects lead nowhere", async () => {
  const hits: string[] = [];
  const inside = await serve((request, response) => {
    hits.push(request.url as string);
    response.end("INTERNAL");
  });
  const http = new OAuthHttp({ named: ["https://203.0.112.7/mcp"] });
  await expect(http.fetch(`${inside}/.well-known/oauth-authorization-server`)).rejects.toThrow(
    "a host was named that is nearer to the gateway than the configured ones",
  );
  const redirecting = await serve((_request, response) =>
    response.writeHead(307, { location: `${inside}/secret` }).end(),
  );
  const local = new OAuthHttp({ named: [redirecting] });
  expect((await local.fetch(`${redirecting}/token`, { method: "POST", body: "code=x" }, redirecting)).status).toBe(307);
  expect(hits).toEqual([]);
});

test("an answer without end is given up after a megabyte", async () => {
  let sent = 0;
  let ended: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const endless = await serve((_request, response) => {
    const chunk = Buffer.alloc(64 * 1024);
    const pour = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length;
    };
    response.on("drain", pour).on("close", ended);
    pour();
  });
  const { host } = new URL(endless);
  await expect(new OAuthHttp({ named: [endless] }).fetch(`${endless}/token`)).rejects.toThrow(
    `the answer of ${host} exceeds 1048576 bytes`,
  );
  await closed;
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});
