import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ProgramGateway } from "../../runtime/programs/program-gateway.ts";
import { memberText } from "../../runtime/protocol/json-scan.ts";
import { exactly, jsonText, numberText } from "../support/exact-json.ts";
import { TestGateway } from "../support/gateway.ts";
import { HostProcess } from "../support/host-process.ts";
import { Listening } from "../support/listening.ts";
import { type RawAnswer, type RawWay, rawTcp, rawWays } from "../support/raw-ways.ts";
import { Serving } from "../support/serving.ts";

// What peers send as a number arrives with the digits that it has: on every way in, to servers on every transport.
const file = join(import.meta.dirname, "../fixtures/digits/server.ts");
const upstreams = ["stdio", "legacy", "modern", "sse", "ws", "tcp", "host"] as const;
const stopped: (() => Promise<unknown>)[] = [];
let gateway: TestGateway;
let workers: Serving;

beforeAll(async () => {
  const [http, tcp, host] = await Promise.all([
    Listening.start(file, {}, ["http"]),
    Listening.start(file, {}, ["tcp"]),
    HostProcess.start("digits", "isolation: session", file, "stdio"),
  ]);
  stopped.push(...[http, tcp, host].map((one) => () => one.stop()));
  const shared = { type: "custom", isolation: "shared" } as const;
  const at = (path: string, scheme = "http") => ({
    ...shared,
    endpoints: [`${scheme}://127.0.0.1:${http.port}${path}`],
  });
  const servers = {
    stdio: { ...shared, process: { command: process.execPath, args: [file, "stdio"] } },
    legacy: at("/legacy"),
    modern: at("/modern"),
    sse: { ...at("/sse"), protocol: "sse" as const },
    ws: at("/ws", "ws"),
    tcp: { ...shared, endpoints: [`tcp://127.0.0.1:${tcp.port}`] },
    host: { ...shared, isolation: "session" as const, endpoints: [`${host.url}/mcp`] },
  };
  gateway = await TestGateway.start({ gateway: { listeners: { tcp: { port: 0 } } }, servers });
  stopped.unshift(() => gateway.close());
  const { stdio, legacy } = servers;
  workers = await Serving.start(
    { gateway: { workers: 2, log: { level: "info" } }, servers: { stdio, legacy } },
    "workers serve",
  );
  stopped.unshift(() => workers.stop());
});
afterAll(async () => {
  for (const stop of stopped) await stop();
});

/** What a tool answers, its numbers as texts. */
interface Exact {
  readonly structuredContent: unknown;
  readonly content: readonly { readonly text: string }[];
  readonly _meta: unknown;
}
interface ExactCall {
  readonly params: { readonly arguments: { readonly value: unknown } };
}
const argumentsOf = (value: string, answer: string, linked = false) =>
  `{"value":${value},"answer":${JSON.stringify(answer)},"linked":${linked}}`;
const callOf = (tool: string, args: string) => `{"name":"${tool}","arguments":${args}}`;
const resultOf = (answer: string) => exactly(memberText(answer, "result") as string) as Exact;

/** A result of `echo` says what was sent, and has what was to be answered. */
function expectEcho(result: Exact, value: string, answer: string): void {
  expect(result.structuredContent).toEqual(exactly(answer));
  expect((exactly(result.content[0]?.text as string) as ExactCall).params.arguments.value).toEqual(exactly(value));
  expect(result._meta).toEqual(expect.objectContaining(exactly('{"cost":1.0}') as object));
}

const rest = fc.record({ value: jsonText, answer: jsonText, linked: fc.boolean() });
const calls = rest.chain((call) => numberText.map((id) => ({ ...call, id })));
const worst =
  '{"id":2047948614742839297,"f":1.0,"e":1e400,"neg":-0,"a":1.0,"a":[2.0,9223372036854775807],"__proto__":{"x":1.0},"\\ud83d\\ude00":"1.0"}';
const seldom = {
  seed: 17,
  numRuns: 6,
  examples: [[{ id: "9007199254740993", value: worst, answer: worst, linked: true }]],
};

/** Relays texts through a tool, both ways. */
const relays = (way: RawWay, tool: string) =>
  fc.assert(
    fc.asyncProperty(calls, async ({ id, value, answer, linked }) => {
      const reply = await way.ask(id, "tools/call", callOf(tool, argumentsOf(value, answer, linked)));
      expect(memberText(reply, "id")).toBe(id);
      expectEcho(resultOf(reply), value, answer);
    }),
    seldom as fc.Parameters<[{ id: string; value: string; answer: string; linked: boolean }]>,
  );

const accepted: RawAnswer = () => `{"action":"accept","content":{"id":2047948614742839297,"all":${worst}}}`;
/** A request of the session era, or those of a result of the stateless era, by their keys. */
type Question = { readonly params: unknown } | Readonly<Record<string, { readonly params: unknown }>>;
const paramsIn = (question: Question): unknown =>
  "jsonrpc" in question ? question.params : Object.values(question as Record<string, { params: unknown }>)[0]?.params;
/** What the server was sent: a response, or the request again with the response in it. */
type Shown =
  | { readonly result: unknown }
  | { readonly params: { readonly inputResponses: Readonly<Record<string, unknown>> } };
const replyIn = (shown: Shown): unknown =>
  "result" in shown ? shown.result : Object.values(shown.params.inputResponses)[0];

type Open = (server: string) => Promise<{ readonly way: RawWay; readonly prefix: string }>;
const cells: { readonly name: string; readonly open: Open }[] = Object.entries(rawWays).flatMap(([name, open]) => [
  {
    name: `${name}, all servers`,
    open: async (server) => ({ way: await open(gateway.url, "", accepted), prefix: `${server}__` }),
  },
  {
    name: `${name}, one server`,
    open: async (server) => ({ way: await open(gateway.url, `/${server}`, accepted), prefix: "" }),
  },
]);
cells.push({
  name: "TCP",
  open: async (server) => ({ way: await rawTcp(gateway.gateway.tcpPort as number, accepted), prefix: `${server}__` }),
});

describe.each(cells)("over $name", ({ name, open }) => {
  test.each(upstreams)("a %s server gets and gives the digits that were sent", async (server) => {
    const { way, prefix } = await open(server);
    await relays(way, `${prefix}echo`);
    await way.close();
  });

  test.each(upstreams)("the question of a %s server, and its answer, keep theirs", async (server) => {
    if (name.includes("batches")) return;
    const { way, prefix } = await open(server);
    const reply = await way.ask("1.0", "tools/call", callOf(`${prefix}ask`, argumentsOf("0", worst)));
    const question = way.heard.find((text) => text.includes("elicitation/create")) as string;
    expect(paramsIn(exactly(question) as Question)).toEqual(expect.objectContaining({ x: exactly(worst) }));
    const shown = resultOf(reply).content[0]?.text as string;
    expect(replyIn(exactly(shown) as Shown)).toEqual(exactly(accepted("")));
    await way.close();
  });

  test.each(upstreams)("what a %s server says meanwhile, and its error, keep theirs", async (server) => {
    const { way, prefix } = await open(server);
    const meta = '"progressToken":9007199254740993';
    await way.ask("1", "tools/call", callOf(`${prefix}tell`, argumentsOf("0", worst)), meta);
    const said = (method: string) =>
      exactly(memberText(way.heard.find((text) => text.includes(method)) as string, "params") as string);
    expect(said("notifications/progress")).toEqual(
      exactly('{"progressToken":9007199254740993,"progress":1.0,"total":2047948614742839297,"message":"half"}'),
    );
    expect(said("notifications/message")).toEqual(exactly(`{"level":"error","data":${worst}}`));
    const failed = await way.ask("2", "tools/call", callOf(`${prefix}fail`, argumentsOf("0", worst)));
    expect(exactly(memberText(failed, "error") as string)).toEqual(
      exactly(`{"code":-32000,"message":"no","data":${worst}}`),
    );
    await way.close();
  });
});

const post = async (url: string, body: string) => {
  const headers = { "content-type": "application/json" };
  return (await (await fetch(url, { method: "POST", headers, body })).text()).trim();
};
/** REST refuses members that are called `__proto__`. */
const restText = jsonText.filter((text) => !text.includes("__proto__"));

describe.each(upstreams)("over REST, to a %s server", (server) => {
  test.each(["requests", "tools/echo"])("%s gives and gets the digits that were sent", (path) =>
    fc.assert(
      fc.asyncProperty(restText, jsonText, async (value, answer) => {
        const args = argumentsOf(value, answer);
        const body = path === "requests" ? `{"method":"echo","params":${args},"metadata":{"ticket":1.0}}` : args;
        const reply = await post(`${gateway.url}/api/v1/servers/${server}/${path}`, body);
        expectEcho(resultOf(reply), value, answer);
      }),
      { seed: 18, numRuns: 6, examples: [['{"id":2047948614742839297,"f":1.0,"e":1e400,"neg":-0}', worst]] },
    ),
  );
});

test.each(["http", "stdio"])("with workers, to a %s server", async (kind) => {
  const server = kind === "http" ? "legacy" : kind;
  for (const [name, open] of Object.entries(rawWays)) {
    if (name === "WebSocket") continue;
    const way = await open(workers.url, `/${server}`, accepted);
    await relays(way, "echo");
    await way.close();
  }
});

describe.each(upstreams)("the lists of a %s server", (server) => {
  const schema =
    '{"type":"object","properties":{"id":{"type":"integer","maximum":9223372036854775807,"default":-0},' +
    '"factor":{"type":"number","default":1.0,"maximum":1e400}}}';

  test.each(["", `/${server}`])("at /mcp%s keep their digits", async (room) => {
    for (const open of [rawWays["Streamable HTTP, 2025-11-25"], rawWays["Streamable HTTP, 2026-07-28"]]) {
      const way = await open(gateway.url, room, accepted);
      const prefix = room === "" ? `${server}__` : "";
      const listed = async (method: string, key: string) =>
        (exactly(memberText(await way.ask("1", method, "{}"), "result") as string) as Record<string, unknown[]>)[key];
      expect(await listed("tools/list", "tools")).toContainEqual(
        exactly(`{"name":"${prefix}echo","inputSchema":${schema},"_meta":{"rank":1.0}}`),
      );
      expect(await listed("prompts/list", "prompts")).toContainEqual(
        exactly(`{"name":"${prefix}p","_meta":{"rank":2047948614742839297}}`),
      );
      const uri = room === "" ? `${server}+file:///record` : "file:///record";
      expect(await listed("resources/list", "resources")).toContainEqual(
        exactly(`{"uri":"${uri}","name":"record","size":9007199254740993}`),
      );
      const read = await way.ask("1", "resources/read", `{"uri":"${uri}"}`);
      expect(exactly(memberText(read, "result") as string)).toMatchObject(
        exactly(
          `{"contents":[{"uri":"${uri}","text":"","_meta":{"id":2047948614742839297}}],"_meta":{"version":1.0}}`,
        ) as object,
      );
      await way.close();
    }
  });

  test("are those of the OpenAPI document", async () => {
    const document = exactly(await (await fetch(`${gateway.url}/openapi.json`)).text());
    expect(document).toMatchObject({ components: { schemas: { [`${server}__echo.input`]: exactly(schema) } } });
  });
});

test("mcp-fleet call sends and prints the digits that were written", async () => {
  const params = argumentsOf('{"id":2047948614742839297,"f":1.0}', worst);
  const cli = join(import.meta.dirname, "../../runtime/cli/main.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[cli, "call", "stdio", "echo", "--url", gateway.url, "--params", params],
  ]);
  expectEcho(exactly(stdout) as Exact, '{"id":2047948614742839297,"f":1.0}', worst);
});

test("a program gets numbers as JavaScript has them", async () => {
  const program = new ProgramGateway({ log: { level: "silent" } });
  const run = { command: process.execPath, args: [file, "stdio"] };
  await program.add({ digits: { type: "custom", isolation: "shared", process: run } });
  const args = { answer: '{"id":2047948614742839297,"f":1.0,"list":[-0,1e400,0.1]}' };
  expect(await program.execute("digits", "echo", args, {})).toMatchObject({
    structuredContent: { id: 2047948614742839300, f: 1, list: [-0, Number.POSITIVE_INFINITY, 0.1] },
  });
  await program.close();
});
