import { afterEach, expect, test } from "@jest/globals";
import { pino } from "pino";
import { request } from "undici";
import type { Gateway } from "../../runtime/config/schema/index.ts";
import { statefulServer, TestGateway } from "../support/gateway.ts";

let it: TestGateway;
afterEach(() => it.close());
const start = async (gateway: Partial<Gateway> = {}) => {
  it = await TestGateway.start({ gateway, servers: { notes: statefulServer({ isolation: "shared" }) } });
};

const both = { "content-type": "application/json", accept: "application/json, text/event-stream" };
async function post(body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await request(`${it.url}/mcp`, { method: "POST", headers: { ...both, ...headers }, body: text });
  const said = await answer.body.text();
  return { status: answer.statusCode, id: answer.headers["mcp-session-id"] as string, said };
}
const open = (params: Record<string, unknown> = {}, protocolVersion = "2025-06-18") =>
  post({
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion, capabilities: {}, clientInfo: { name: "raw", version: "1" }, ...params },
  });
const ping = { jsonrpc: "2.0", id: 7, method: "ping" };
const messageOf = (said: string) => JSON.parse(said).error.message;

test("the log names a client by its name and version, cut, and no line is long", async () => {
  const lines: string[] = [];
  const log = pino({ level: "info", base: null, timestamp: false }, { write: (line: string) => void lines.push(line) });
  const running = { log, write: () => {}, close: async () => {} };
  it = await TestGateway.start({ servers: { notes: statefulServer() } }, { log: running });
  const clientInfo = { name: "n".repeat(200), version: "v".repeat(200), title: "t".repeat(3000) };
  expect((await open({ clientInfo })).status).toBe(200);
  const opened = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "session opened");
  expect(opened).toEqual([
    {
      level: 30,
      client: { name: "n".repeat(100), version: "v".repeat(100) },
      revision: "2025-06-18",
      caller: "local",
      msg: "session opened",
    },
  ]);
  await open({ clientInfo: { name: "n".repeat(4_000_000), version: {} } });
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(1000);
});

test("a client that describes itself at length is refused; pictures are left out", async () => {
  await start();
  const long = "x".repeat(5000);
  const refused = await open({ clientInfo: { name: long, version: "1" } });
  expect([refused.status, messageOf(refused.said)]).toEqual([
    200,
    'Invalid params: "clientInfo" has 5025 characters; send at most 4096',
  ]);
  const capable = await open({ capabilities: { experimental: { long } } });
  expect(messageOf(capable.said)).toBe('Invalid params: "capabilities" has 5028 characters; send at most 4096');
  const icons = [{ src: `data:image/png;base64,${"A".repeat(100_000)}` }];
  const pictured = await open({ clientInfo: { name: "raw", version: "1", icons } });
  expect([pictured.status, pictured.id.length < 1000]).toEqual([200, true]);
});

test("an id comes back as it was sent, whatever number it is; one of more than 1024 digits is refused", async () => {
  await start();
  const { id } = await open();
  const session = { "mcp-session-id": id };
  const answerTo = (number: string) => post(`{"jsonrpc":"2.0","id":${number},"method":"ping"}`, session);
  for (const number of ["18014398509481985", "9007199254740993", "-1", "1.0", "1e999", "9".repeat(1024)]) {
    expect(await answerTo(number)).toMatchObject({
      status: 200,
      said: `{"jsonrpc":"2.0","id":${number},"result":{}}`,
    });
  }
  expect(await answerTo("9".repeat(1025))).toMatchObject({
    status: 400,
    said:
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request: \\"id\\" is longer than 1024 ' +
      'characters","data":{"code":"INVALID_REQUEST"}}}',
  });
  expect((await post({ ...ping, id: "1e999" }, session)).said).toBe('{"jsonrpc":"2.0","id":"1e999","result":{}}');
});

test("a batch has 256 messages at most, and a method and a progress token have a length", async () => {
  await start();
  const session = { "mcp-session-id": (await open({}, "2025-03-26")).id };
  const batch = (count: number) => Array.from({ length: count }, (_none, id) => ({ ...ping, id }));
  expect(JSON.parse((await post(batch(256), session)).said)).toHaveLength(256);
  const refused = await post(batch(257), session);
  expect([refused.status, messageOf(refused.said)]).toEqual([
    400,
    "Invalid request: the batch has 257 messages; send at most 256 at once",
  ]);
  expect(messageOf((await post({ ...ping, method: "m".repeat(257) }, session)).said)).toBe(
    'Invalid request: "method" is longer than 256 characters',
  );
  const _meta = { progressToken: "t".repeat(1025) };
  expect(messageOf((await post({ ...ping, params: { _meta } }, session)).said)).toBe(
    'Invalid request: "params._meta.progressToken" is longer than 1024 characters',
  );
});

test("find_tools takes a paragraph, describe_tools fifty names", async () => {
  await start({ toolSearch: true });
  const session = { "mcp-session-id": (await open()).id };
  const call = async (name: string, args: Record<string, unknown>) => {
    const body = { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name, arguments: args } };
    return JSON.parse((await post(body, session)).said).result.content[0].text;
  };
  expect(JSON.parse(await call("find_tools", { query: `count${" count".repeat(65)}` })).tools).not.toEqual([]);
  expect(await call("find_tools", { query: "word ".repeat(200_000) })).toBe(
    'Invalid arguments: "query" has 1000000 characters; send at most 400',
  );
  expect(await call("describe_tools", { names: Array(51).fill("notes__count") })).toBe(
    'Invalid arguments: "names" has 51 names; send at most 50',
  );
  expect(await call("describe_tools", { names: ["n".repeat(257)] })).toBe(
    "Invalid arguments: a name has more than 256 characters; send names that find_tools gave",
  );
  expect(await call("describe_tools", { names: [{}] })).toBe('Invalid arguments: "names" must be a list of texts');
});

test("a session has sixteen open streams at most: the oldest ends", async () => {
  await start();
  const session = { "mcp-session-id": (await open()).id, accept: "text/event-stream" };
  const streams = [];
  for (let count = 0; count < 17; count += 1) streams.push(await request(`${it.url}/mcp`, { headers: session }));
  await streams[0]?.body.text();
  expect(streams.map(({ body }) => body.readableEnded)).toEqual([true, ...Array(16).fill(false)]);
  for (const { body } of streams.slice(1)) body.destroy();
});

test("a session that its client has ended stays ended: by every spelling of its id, and after a restart", async () => {
  await start();
  const { id } = await open();
  const kept = (await open()).id;
  const statusOf = async (spelling: string) => (await post(ping, { "mcp-session-id": spelling })).status;
  expect(await statusOf(id)).toBe(200);
  const { statusCode } = await request(`${it.url}/mcp`, { method: "DELETE", headers: { "mcp-session-id": id } });
  expect(statusCode).toBe(204);
  const dot = id.indexOf(".") + 20;
  const spellings = [
    id,
    `${id}=`,
    `${id}.`,
    `${id.slice(0, dot)}!${id.slice(dot)}`,
    id.replaceAll("-", "+").replaceAll("_", "/"),
  ];
  for (const spelling of spellings) expect(await statusOf(spelling)).toBe(404);
  await it.stop();
  const { folder } = it;
  it = await TestGateway.start({ servers: { notes: statefulServer() } }, { stateDirectory: folder });
  for (const spelling of spellings) expect(await statusOf(spelling)).toBe(404);
  expect(await statusOf(kept)).toBe(200);
});
