import { once } from "node:events";
import { connect, createServer } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { Agent, request } from "undici";
import { parse } from "yaml";
import {
  type Auth,
  type Authorization,
  type Gateway,
  issueText,
  type Server,
  validateConfig,
} from "../../runtime/config/schema/index.ts";
import { digestOf } from "../../runtime/security/secret-table.ts";
import { Certificates } from "../support/certificates.ts";
import { say, statefulServer, TestGateway } from "../support/gateway.ts";

// Attacks of SECURITY.md that are tried twice: with the control they fail, and with its own setting changed they succeed.
const [on, off] = [true, false];
let it: TestGateway | undefined;
afterEach(async () => {
  await it?.close();
  it = undefined;
});
const start = async (gateway: Partial<Gateway>, server: Partial<Server> = {}) => {
  it = await TestGateway.start({ gateway, servers: { notes: statefulServer(server) } });
  return it;
};
const people: Auth = { bearerTokens: ["ann", "bob"].map((name) => ({ name, token: `${name}-token` })) };

/** One call of a tool over REST, or what another path says. */
async function ask(url: string, headers: Record<string, string> = {}, path = "tools/count", body?: object) {
  const answer = await request(`${url}/api/v1/servers/notes/${path}`, {
    ...{ method: path.startsWith("tools/") ? "POST" : "GET", body: body ? JSON.stringify(body) : "{}" },
    headers: { "content-type": "application/json", ...headers },
  });
  await answer.body.dump();
  return answer.statusCode;
}
const as = (token: string) => ({ authorization: `Bearer ${token}` });

describe("someone else on the network calls your tools", () => {
  // 127.0.0.2 is an address of this machine that is not the one listened on, as 192.168.0.7 would be.
  test.each([on, off])("the gateway listens on loopback alone: %s", async (control) => {
    const { url } = await start(control ? {} : { host: "0.0.0.0", auth: { allowAnonymous: true } });
    const elsewhere = `http://127.0.0.2:${new URL(url).port}`;
    const outcome = await ask(elsewhere).catch((error) => error.code);
    expect(outcome).toBe(control ? "ECONNREFUSED" : 200);
  });

  test("another address without authentication is refused before anything listens", () => {
    const servers = { notes: statefulServer() };
    expect(validateConfig({ gateway: { host: "0.0.0.0" }, servers }).map(issueText)).toEqual([
      'gateway.host: is "0.0.0.0", which other machines reach, without authentication; add gateway.auth with at least one bearer token, or listen on 127.0.0.1',
    ]);
    const allowed = { host: "0.0.0.0", auth: { allowAnonymous: true } };
    expect(validateConfig({ gateway: allowed, servers })).toEqual([]);
  });
});

describe("a web page reaches the gateway", () => {
  test.each([on, off])("through DNS rebinding (Host checked: %s)", async (control) => {
    const { url } = await start(control ? {} : { allowedHosts: ["evil.example.com"] });
    expect(await ask(url, { host: "evil.example.com" })).toBe(control ? 403 : 200);
  });

  test.each([on, off])("across origins (Origin checked: %s)", async (control) => {
    const origin = "https://evil.example.com";
    const { url } = await start(control ? {} : { cors: { origins: [origin] } });
    expect(await ask(url, { origin })).toBe(control ? 403 : 200);
  });
});

test.each([on, off])("somebody tries all keys (failures bounded: %s)", async (control) => {
  const pin = "0007";
  const auth = { apiKeys: [{ name: "app", key: pin }], ...(control ? { maxFailuresPerMinute: 5 } : {}) };
  const { url } = await start({ auth });
  const outcomes: number[] = [];
  for (let guess = 0; guess < 10; guess += 1) {
    outcomes.push(await ask(url, { "x-api-key": String(guess).padStart(4, "0") }));
  }
  expect(outcomes.includes(200)).toBe(!control);
  // Not even the right one is looked at any more.
  expect(outcomes[7]).toBe(control ? 429 : 200);
});

test.each([on, off])("a stolen configuration file opens the door (hashes in it: %s)", async (control) => {
  const token = "a-token-of-32-characters-and-more";
  const stolen = control ? `hash: "sha256:${digestOf(token)}"` : `token: ${token}`;
  const auth = parse(`{ bearerTokens: [{ name: ann, ${stolen} }] }`) as Auth;
  const { url } = await start({ auth });
  expect(await ask(url, as(token))).toBe(200);
  const words = stolen.split(/[ ":]+/).filter((word) => word !== "");
  const outcomes = await Promise.all(words.map((word) => ask(url, as(word))));
  expect(outcomes.includes(200)).toBe(!control);
});

describe("a caller does more than it may", () => {
  const rules: Authorization["rules"] = [{ effect: "allow", callers: ["ann"] }];
  test.each([on, off])("calls, and finds out what there is (rules: %s)", async (control) => {
    const { url } = await start({ auth: people, ...(control ? { authorization: { rules } } : {}) });
    expect(await ask(url, as("ann-token"))).toBe(200);
    // A server that is hidden looks like one that does not exist.
    expect(await ask(url, as("bob-token"))).toBe(control ? 404 : 200);
    const seen = async (token: string) => {
      const bob = await (it as TestGateway).connect("/mcp", as(token));
      return (await bob.listTools()).tools.length;
    };
    const pages = async (token: string) =>
      Promise.all(
        ["/api/v1/servers", "/openapi.json"].map(async (path) =>
          (await (await request(`${url}${path}`, { headers: as(token) })).body.text()).includes("notes"),
        ),
      );
    expect([await seen("ann-token"), await seen("bob-token")]).toEqual([4, control ? 0 : 4]);
    expect(await pages("ann-token")).toEqual([true, true]);
    expect(await pages("bob-token")).toEqual(control ? [false, false] : [true, true]);
  });

  test.each([on, off])("an argument does harm (expression over arguments: %s)", async (control) => {
    const when = { when: 'args.path.startsWith("/pub/")' };
    const authorization: Authorization = { rules: [{ effect: "allow", tools: ["where"], ...(control ? when : {}) }] };
    const { url } = await start({ authorization });
    const outcomes = [];
    for (const path of ["/pub/a", "/etc/passwd", undefined])
      outcomes.push(await ask(url, {}, "tools/where", path === undefined ? {} : { path }));
    expect(outcomes).toEqual(control ? [200, 403, 403] : [200, 200, 200]);
  });
});

describe("one session and another", () => {
  test.each([on, off])("a stolen session id is used (bound to its caller: %s)", async (control) => {
    const { url } = await start(control ? { auth: people } : {});
    const speak = async (who: string, body: object, session?: string) => {
      const answer = await request(`${url}/mcp/notes`, {
        method: "POST",
        headers: {
          ...{ "content-type": "application/json", accept: "application/json, text/event-stream", ...as(who) },
          ...(session && { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" }),
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...body }),
      });
      await answer.body.dump();
      return answer;
    };
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
    const opened = await speak("ann-token", { method: "initialize", params });
    const session = opened.headers["mcp-session-id"] as string;
    const count = { method: "tools/call", params: { name: "count", arguments: {} } };
    expect((await speak("ann-token", count, session)).statusCode).toBe(200);
    expect((await speak("bob-token", count, session)).statusCode).toBe(control ? 404 : 200);
  });

  test.each([on, off])("one sees another's state (a process for each: %s)", async (control) => {
    const gateway = await start({}, { isolation: control ? "session" : "shared" });
    const [ann, bob] = [await gateway.connect("/mcp/notes"), await gateway.connect("/mcp/notes")];
    expect(await say(ann, "count")).toMatchObject({ count: 1 });
    expect(await say(bob, "count")).toMatchObject({ count: control ? 1 : 2 });
  });
});

/** A machine on the way, which forwards bytes and keeps what it sees. */
async function listenBetween(port: number) {
  const heard: Buffer[] = [];
  const relay = createServer((socket) => {
    const onward = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      from.on("data", (bytes) => heard.push(bytes));
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  return { port: (relay.address() as { port: number }).port, heard, close: () => relay.close() };
}

test.each([on, off])("somebody listens on the network (TLS: %s)", async (control) => {
  const made = new Certificates();
  const { cert: certFile, key: keyFile } = made.sign("server", "gateway");
  const { url } = await start({ auth: people, ...(control ? { tls: { certFile, keyFile } } : {}) });
  const between = await listenBetween(Number(new URL(url).port));
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    const answer = await request(`${control ? "https" : "http"}://127.0.0.1:${between.port}/api/v1/servers`, {
      ...{ dispatcher, headers: as("ann-token") },
    });
    expect(await answer.body.text()).toContain('"notes"');
    const text = Buffer.concat(between.heard).toString("latin1");
    expect(text.length).toBeGreaterThan(100);
    expect([text.includes("ann-token"), text.includes('"notes"')]).toEqual([!control, !control]);
  } finally {
    await dispatcher.close();
    between.close();
    made.close();
  }
});
