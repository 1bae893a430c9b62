import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import { request } from "undici";
import type { ConfigFile, Server } from "../../runtime/config/schema/index.ts";
import { FleetError } from "../../runtime/errors.ts";
import type { Params } from "../../runtime/protocol/json-rpc.ts";
import { errorReply } from "../../runtime/protocol/json-rpc.ts";
import { TestGateway } from "../support/gateway.ts";
import { type Call, configArbitrary, methods, tools } from "../support/judged-calls.ts";
import {
  type Ask,
  restOver,
  sessionOn,
  sessionOver,
  sseLine,
  statelessOver,
  tcpLine,
  type Way,
  type WayReply,
  webSocketLine,
} from "../support/ways-in.ts";

// For random rules and random spellings, every way in gives the same verdict, and the server is sent exactly what was
// judged. JUDGE_RUNS: sets of rules (each with some fifty calls on every way); JUDGE_SEED: to repeat a run.
const runs = Number(process.env.JUDGE_RUNS ?? 8);
const seed = Number(process.env.JUDGE_SEED ?? 20_261_128);

/** What callers have sent to the server, other than for its lists. */
const reached: { readonly method: string; readonly params: Params }[] = [];
let upstream: HttpServer;
let port: number;

/** A server as careless as they come: it makes texts of whatever it is sent, and knows every method. */
function answerTo(method: string, params: Params): unknown {
  if (method === "initialize") {
    const capabilities = { tools: {}, prompts: {}, resources: { subscribe: true }, completions: {} };
    return { protocolVersion: "2025-11-25", capabilities, serverInfo: { name: "careless", version: "1.0.0" } };
  }
  if (method === "tools/list") return { tools: tools.map((name) => ({ name, inputSchema: { type: "object" } })) };
  if (method.endsWith("/list")) return { prompts: [], resources: [], resourceTemplates: [] };
  // The health check's, whenever it is due: no caller here sends one.
  if (method === "ping") return {};
  reached.push({ method, params });
  return { content: [], messages: [], contents: [], completion: { values: [] } };
}

beforeAll(async () => {
  upstream = createServer(async (request, response) => {
    if (request.method !== "POST") {
      response.writeHead(405).end();
      return;
    }
    const { id, method, params = {} } = (await json(request)) as { id?: unknown; method: string; params?: Params };
    if (id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const known = method === "server/discover" ? { error: { code: -32601, message: "no" } } : undefined;
    const body = JSON.stringify({ jsonrpc: "2.0", id, ...(known ?? { result: answerTo(method, params) }) });
    response.writeHead(200, { "content-type": "application/json" }).end(body);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  port = (upstream.address() as AddressInfo).port;
});
/** What a test has opened. */
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});
afterAll(async () => {
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

const verdictOf = ({ error }: WayReply): string => {
  if (error === undefined) return "served";
  return (
    { "-31031": "forbidden", "-32602": "invalid", "-32601": "no such method" }[error.code] ?? `error ${error.code}`
  );
};

/** A way in, and which calls it has. */
interface Judged extends Way {
  readonly name: string;
  readonly has: (call: Call) => boolean;
}

const isTool = ({ method }: Call) => method === "tools/call";
const always = () => true;
/** Of the stateless era, and at `/mcp`, only these can be called. */
const everywhere = new Set(["tools/call", "prompts/get", "resources/read", "completion/complete"]);
const ofBothEras = (call: Call) => (everywhere.has(call.method) && inHeader(call)) || methods.includes(call.method);
/** A header cannot say half a character, nor as much as a body: such a request is refused for that. */
const inHeader = ({ params }: Call) =>
  [params.name, params.uri].every(
    (value) => typeof value !== "string" || (value.isWellFormed() && value.length < 10_000),
  );
const federated = ({ method }: Call) => everywhere.has(method) || method === "resources/subscribe";

/** The call as it is spelled at `/mcp`. */
function atAll({ method, params }: Call): Call {
  const prefix = (mark: string, value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((item) => prefix(mark, item));
    return typeof value === "string" ? `one${mark}${value}` : value;
  };
  const renamed = ({ name, uri, ...rest }: Params): Params => ({
    ...rest,
    ...(name === undefined ? {} : { name: prefix("__", name) }),
    ...(uri === undefined ? {} : { uri: prefix("+", uri) }),
  });
  const { ref } = params;
  return { method, params: ref === undefined ? renamed(params) : { ...params, ref: renamed(ref as Params) } };
}
const federatedBy =
  (ask: Ask): Ask =>
  (method, params) => {
    const call = atAll({ method, params: params as Params });
    return ask(call.method, call.params);
  };

async function waysInto(plain: TestGateway, searching: TestGateway, ruled: boolean): Promise<readonly Judged[]> {
  const { url, gateway } = plain;
  const api = `${url}/api/v1/servers/one`;
  const named = (name: string, way: Way, has: Judged["has"] = always): Judged => ({ name, has, ...way });
  const through = (name: string, way: Way, has: Judged["has"]) =>
    named(name, { ...way, ask: federatedBy(way.ask) }, has);
  const search = await sessionOver(`${searching.url}/mcp`);
  const text = ({ params }: Call) => typeof params.name === "string" && params.name.isWellFormed();
  const programs: Ask = async (method, params) => {
    try {
      const client = { owner: "program", caller: undefined };
      const reply = await gateway.executor.execute(client, "one", method, params);
      return "error" in reply
        ? { error: reply.error as NonNullable<WayReply["error"]> }
        : { result: reply.result as Params };
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      return errorReply(error) as WayReply;
    }
  };
  return [
    named("session at /mcp/one", await sessionOver(`${url}/mcp/one`)),
    named("batch at /mcp/one", await sessionOver(`${url}/mcp/one`, { batched: true })),
    named("stateless at /mcp/one", statelessOver(`${url}/mcp/one`), ofBothEras),
    named(
      "REST requests",
      restOver((method, params) => ({ url: `${api}/requests`, body: { method, params } })),
    ),
    named(
      "REST by the tool's name",
      restOver((_, params) => ({
        url: `${api}/requests`,
        body: { method: params?.name, params: params?.arguments ?? {} },
      })),
      // Texts only: JSON Schema refuses the others before anybody judges; a name with a slash is a method, `ping` another.
      (call) =>
        isTool(call) && text(call) && !/^$|\//.test(call.params.name as string) && isObject(call.params.arguments),
    ),
    named(
      "REST tools",
      restOver((_, params) => ({
        url: `${api}/tools/${encodeURIComponent(String(params?.name))}`,
        body: params?.arguments ?? {},
      })),
      (call) =>
        isTool(call) &&
        text(call) &&
        /^[\w %]{1,90}$/.test((call.params.name as string).normalize("NFC").replace("\u00e9", "e")) &&
        isObject(call.params.arguments),
    ),
    named("WebSocket", await sessionOn(await webSocketLine(`${url}/ws/one`))),
    named("TCP", await sessionOn(await tcpLine(gateway.tcpPort as number))),
    named("HTTP+SSE", await sessionOn(await sseLine(url, "/sse/one"))),
    through("session at /mcp", await sessionOver(`${url}/mcp`), federated),
    through("stateless at /mcp", statelessOver(`${url}/mcp`), (call) => everywhere.has(call.method) && inHeader(call)),
    through(
      "call_tool of the tool search",
      { ask: (method, params) => search.ask(method, { name: "call_tool", arguments: params }), close: () => {} },
      (call) => isTool(call),
    ),
    // Rules are about callers; a program in the same process is none.
    ...(ruled ? [] : [named("program", { ask: programs, close: () => {} })]),
  ];
}
const isObject = (value: unknown) => value === null || (typeof value === "object" && !Array.isArray(value));

test("for random rules and spellings, every way in gives the same verdict, and sends on what was judged", async () => {
  const seen = new Map<string, number>();
  const property = fc.asyncProperty(configArbitrary, async ({ ruled, rules, filter, custom, calls, ...more }) => {
    const visible = { effect: "allow" as const, tools: ["always"] };
    const authorization = ruled ? { authorization: { default: more.default, rules: [...rules, visible] } } : {};
    const one: Server = {
      type: "custom",
      isolation: "shared",
      endpoints: [`http://127.0.0.1:${port}/mcp`],
      tools: { ...filter, aliases: { short: "echo" } },
      methods: { allow: custom },
    };
    const file = (gateway: ConfigFile["gateway"]): ConfigFile => ({
      gateway: { ...gateway, ...authorization },
      servers: { one },
    });
    const plain = await TestGateway.start(file({ listeners: { tcp: { port: 0, server: "one" } } }));
    const searching = await TestGateway.start(file({ toolSearch: true }));
    const ways = await waysInto(plain, searching, ruled);
    try {
      for (const call of calls) {
        const verdicts: Record<string, string> = {};
        for (const { name, ask, has } of ways) {
          if (!has(call)) continue;
          reached.length = 0;
          const verdict = verdictOf(await ask(call.method, call.params));
          verdicts[name] = verdict;
          // A cached subscription asks no server twice.
          const subscribed = call.method === "resources/subscribe" && verdict === "served";
          if (!subscribed) expect([name, call, reached.length]).toEqual([name, call, verdict === "served" ? 1 : 0]);
          for (const sent of reached) expect([name, subjectOf(sent)]).toEqual([name, judged(call)]);
        }
        const all = new Set(Object.values(verdicts));
        const [first = ""] = all;
        const same = Object.fromEntries(Object.keys(verdicts).map((way) => [way, first]));
        expect({ call, filter, authorization, verdicts }).toEqual({ call, filter, authorization, verdicts: same });
        for (const verdict of all) seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
      }
    } finally {
      for (const way of ways) way.close();
      await Promise.all([plain.close(), searching.close()]);
    }
  });
  const outcome = await fc.check(property, { numRuns: runs, seed, endOnFailure: true });
  // Without the whole set of rules and calls, which is long: the seed gives it again.
  if (outcome.failed) throw outcome.errorInstance ?? new Error("the property failed");
  // It has met all of them.
  expect([...seen.keys()].sort()).toEqual(["forbidden", "invalid", "no such method", "served"]);
}, 600_000);

test("a member that is there twice is judged as it is sent on: once", async () => {
  const one: Server = {
    type: "custom",
    isolation: "shared",
    endpoints: [`http://127.0.0.1:${port}/mcp`],
    tools: { deny: ["admin"] },
  };
  const gateway = await TestGateway.start({
    gateway: { listeners: { tcp: { port: 0, server: "one" } } },
    servers: { one },
  });
  opened.push(gateway);
  const { url } = gateway;
  const lines = [
    await webSocketLine(`${url}/ws/one`),
    await tcpLine(gateway.gateway.tcpPort as number),
    await sseLine(url, "/sse/one"),
  ];
  opened.push(...lines);
  for (const line of lines) {
    let take: (text: string) => void = () => {};
    let ended: () => void = () => {};
    line.listen(
      (text) => take(text),
      () => ended(),
    );
    const say = (text: string) =>
      new Promise<WayReply>((resolve, reject) => {
        take = (answer) => {
          const message = JSON.parse(answer) as Params;
          if (message.method === undefined) resolve(message as WayReply);
        };
        ended = () => reject(new Error("the connection has ended"));
        line.send(text);
      });
    const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
    await say(JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params: hello }));
    const call = (names: string) => say(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{${names}}}`);
    reached.length = 0;
    expect(verdictOf(await call('"name":"echo","arguments":{},"name":"admin"'))).toBe("invalid");
    expect(verdictOf(await call('"n\\u0061me":"admin","arguments":{},"name":"echo"'))).toBe("served");
    expect(
      verdictOf(await say('{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"admin"}}')),
    ).toBe("invalid");
    expect(reached).toEqual([{ method: "tools/call", params: { name: "echo", arguments: {} } }]);
  }
  reached.length = 0;
  const { body } = await request(`${url}/api/v1/servers/one/requests`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"method":"tools/call","params":{"name":"echo","name":"admin"}}',
  });
  expect([verdictOf((await body.json()) as WayReply), reached]).toEqual(["invalid", []]);
});

/** What the server reads of a call: nothing but this may differ from what the caller has sent. */
function subjectOf({ method, params }: Call): Params {
  const { name, uri, ref, arguments: args } = params;
  return { method, name, uri, ref, arguments: args ?? {} };
}

const judged = (call: Call): Params => {
  const subject = subjectOf(call);
  return subject.name === "short" && isTool(call) ? { ...subject, name: "echo" } : subject;
};
