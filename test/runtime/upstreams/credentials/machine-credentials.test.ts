import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { ClientMetadata } from "oidc-provider";
import { Sealer } from "../../../../runtime/protocol/sealer.ts";
import { credentialFailure } from "../../../../runtime/upstreams/credentials/failure.ts";
import { MachineCredentials } from "../../../../runtime/upstreams/credentials/machine-credentials.ts";
import { OAuthHttp } from "../../../../runtime/upstreams/credentials/oauth-http.ts";
import { TokenStore } from "../../../../runtime/upstreams/credentials/token-store.ts";
import { AuthorizationServer } from "../../../support/authorization-server.ts";

// Time passes as the test says; the authorization server is real.
const client = { client_id: "c", client_secret: "s", redirect_uris: [], response_types: [] };
const url = new URL("http://127.0.0.1:9/mcp");
let authorization: AuthorizationServer;
let now: number;
let failures: string[];
let credentials: MachineCredentials;

beforeEach(async () => {
  const clients = [{ ...client, grant_types: ["client_credentials"] }] as unknown as ClientMetadata[];
  authorization = await AuthorizationServer.start({ clients, accessTokenTtl: 100 });
  now = Date.now();
  failures = [];
  const http = new OAuthHttp();
  // The MCP server has no metadata: its authorization server is the configured one.
  const fetchOf = http.fetch.bind(http);
  http.fetch = async (address, init, server) =>
    address.startsWith(url.origin) ? new Response(null, { status: 404 }) : fetchOf(address, init, server);
  credentials = new MachineCredentials({
    ...{ server: "docs", http, clock: () => now, onToken: () => {} },
    settings: { grant: "client-credentials", issuer: authorization.issuer, clientId: "c", clientSecret: "s" },
    store: new TokenStore(undefined, new Sealer("test", [{ id: "k", key: Buffer.alloc(32) }])),
    failure: (at, cause) => {
      const error = credentialFailure("docs", [], at, cause);
      failures.push(error.message);
      return error;
    },
  });
});
afterEach(() => authorization.close());

test("one token for everybody, until thirty seconds before its end", async () => {
  const [first, second] = await Promise.all([
    credentials.linesFor(url, undefined),
    credentials.linesFor(url, undefined),
  ]);
  expect(first).toBe(second);
  expect(first).toMatch(/^authorization: Bearer [\w.-]+\r\n$/);
  now += 69_000;
  expect(credentials.linesFor(url, undefined)).toBe(first);
  now += 2000;
  expect(await credentials.linesFor(url, undefined)).not.toBe(first);
  expect(authorization.granted).toHaveLength(2);
  expect(credentials.size).toBe(1);
});

test("an authorization server that fails is left alone for five seconds", async () => {
  await authorization.close();
  const ask = () => Promise.resolve(credentials.linesFor(url, undefined)).catch((error) => error.message);
  const [one, two] = [await ask(), await ask()];
  expect(one).toMatch(
    /^docs: no access to http:\/\/127\.0\.0\.1:9: fetch failed: .*; check servers\.docs\.credentials$/,
  );
  expect([two, failures.length]).toEqual([one, 1]);
  now += 5001;
  await ask();
  expect(failures).toHaveLength(2);
});

test("a refusal of an older token changes nothing; one of the newest brings another", async () => {
  const first = await credentials.linesFor(url, undefined);
  await credentials.refused(url, undefined, { status: 401, challenge: undefined, sent: "authorization: older\r\n" });
  expect(credentials.linesFor(url, undefined)).toBe(first);
  await credentials.refused(url, undefined, { status: 401, challenge: 'Bearer scope="write"', sent: first });
  expect(credentials.linesFor(url, undefined)).not.toBe(first);
  expect(authorization.granted.map(({ scope }) => scope)).toEqual([undefined, "write"]);
});

test("a refusal that more scope does not help is the last word", async () => {
  const sent = await credentials.linesFor(url, undefined);
  const challenge = 'Bearer error="insufficient_scope"';
  await expect(credentials.refused(url, undefined, { status: 403, challenge, sent })).rejects.toThrow(
    "docs: no access to http://127.0.0.1:9: the server answered HTTP 403 to a token with the scopes that it asks for; check servers.docs.credentials",
  );
  expect(authorization.granted).toHaveLength(1);
});
