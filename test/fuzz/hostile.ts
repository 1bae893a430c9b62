import fc from "fast-check";

// What a hostile or broken client may send, from almost right to nonsense.
const methods = [
  ...["initialize", "ping", "tools/list", "tools/call", "prompts/get", "resources/read", "resources/subscribe"],
  ...["logging/setLevel", "completion/complete", "server/discover", "subscriptions/listen", "tasks/get"],
  ...["notifications/initialized", "notifications/cancelled", "notifications/progress"],
];
const key = "io.modelcontextprotocol";
const version = fc.constantFrom("2026-07-28", "2025-11-25", "2025-03-26", "2024-11-05", "2099-01-01", "", "x");
const ids = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.constant(null),
  fc.double(),
  fc.boolean(),
  fc.constant({}),
  fc.constant([]),
);
const trap = fc.constant({ toString: null, __proto__: null });
const name = fc.oneof(
  trap,

  fc.constantFrom("stateful__count", "private__count", "count", "__proto__", "constructor", "stateful__"),
  fc.string(),
);
const uri = fc.oneof(trap, fc.constantFrom("stateful+file:///x", "file:///x", "+", "stateful+"), fc.string());
const meta = fc.record(
  {
    [`${key}/protocolVersion`]: fc.oneof(version, fc.jsonValue()),
    [`${key}/clientCapabilities`]: fc.oneof(fc.constant({}), fc.jsonValue()),
    [`${key}/logLevel`]: fc.oneof(fc.constant("debug"), fc.jsonValue()),
    progressToken: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const params = fc.record(
  {
    ...{ name: fc.oneof(name, fc.jsonValue()), uri: fc.oneof(uri, fc.jsonValue()), arguments: fc.jsonValue() },
    ...{ cursor: fc.oneof(fc.string(), fc.jsonValue()), level: fc.jsonValue(), ref: fc.jsonValue() },
    ...{ protocolVersion: fc.oneof(version, fc.jsonValue()), capabilities: fc.jsonValue(), requestId: ids },
    ...{ requestState: fc.oneof(fc.constant("mcp-fleet:state.AAAA"), fc.jsonValue()), inputResponses: fc.jsonValue() },
    ...{ notifications: fc.jsonValue(), _meta: fc.oneof({ weight: 3, arbitrary: meta }, fc.jsonValue()) },
  },
  { requiredKeys: [] },
);
const message = fc.record(
  {
    jsonrpc: fc.oneof({ weight: 9, arbitrary: fc.constant("2.0") }, fc.jsonValue()),
    id: ids,
    method: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...methods) }, fc.string(), fc.jsonValue()),
    params: fc.oneof({ weight: 5, arbitrary: params }, fc.jsonValue()),
    result: fc.jsonValue(),
    error: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
/** A message whose envelope is right. */
const likely = fc.record(
  { jsonrpc: fc.constant("2.0"), id: fc.oneof(fc.integer(), fc.string()), method: fc.constantFrom(...methods), params },
  { requiredKeys: ["jsonrpc", "method"] },
);
const nested = fc.integer({ min: 1, max: 20_000 }).map((depth) => "[".repeat(depth) + "]".repeat(depth));
/** Deep nesting where it is looked at, and where it is only passed on. */
const deep = fc.oneof(
  nested,
  nested.map(
    (value) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"count","arguments":${value}}}`,
  ),
  nested.map((value) => `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"x":${value}}}}`),
);
/** Keys that come twice: whoever reads the first one and whoever reads the last one must not disagree. */
const twice = fc.constantFrom(
  '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping","method":"tools/list"}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"count","name":"crash"}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"count"},"params":{"name":"crash"}}',
  '{"jsonrpc":"2.0","id":{},"id":"1","method":"ping"}',
);
const encoded = fc.oneof(
  { weight: 20, arbitrary: likely.map((value) => JSON.stringify(value)) },
  { weight: 8, arbitrary: message.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: fc.array(message, { maxLength: 5 }).map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: message.chain((value) => cut(JSON.stringify(value))) },
  fc.json(),
  fc.string(),
  deep,
  twice,
);
/** Mostly UTF-8; sometimes a byte of the text is one that UTF-8 never has. */
const text = fc.oneof(
  { weight: 20, arbitrary: encoded.map((value) => Buffer.from(value, "utf8")) },
  fc.tuple(encoded, fc.nat(), fc.constantFrom(0x80, 0xc0, 0xff)).map(([value, at, byte]) => {
    const bytes = Buffer.from(value, "utf8");
    if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  }),
);
const cut = (whole: string) => fc.integer({ min: 0, max: whole.length }).map((end) => whole.slice(0, end));

/** Mostly what is right, sometimes one of the others. */
const mostly = <T>(right: T, ...others: T[]) =>
  fc.oneof({ weight: 15, arbitrary: fc.constant(right) }, fc.constantFrom(...others));
const headers = fc.record(
  {
    "content-type": mostly("application/json", "application/json; charset=utf-8", "text/plain", ""),
    accept: mostly("application/json, text/event-stream", "application/json", "text/html", "*/*"),
    "mcp-protocol-version": mostly("2025-11-25", "2026-07-28", "2024-11-05", "2099-01-01", "x"),
    "mcp-session-id": mostly("$session", "x", "state.AAAA", "a".repeat(5000)),
    "mcp-name": mostly("count", "stateful__count", "=?base64?!!?=", "=?base64?Y291bnQ=?="),
    "mcp-param-region": mostly("eu", ""),
    origin: mostly("http://localhost:1", "https://evil.example", "null"),
    host: mostly("localhost", "evil.example", "localhost.evil.example", "[::2]", "x y", "a".repeat(2000)),
  },
  { requiredKeys: ["content-type", "accept"] },
);

/** One byte more than `gateway.maxBodyBytes` allows. */
const oversized = Buffer.alloc(4 * 1024 * 1024 + 1, 0x20);

const sessionRequest = fc.record({
  method: mostly("POST", "DELETE", "PUT", "PATCH"),
  path: mostly(
    "/mcp",
    "/mcp/stateful",
    "/mcp/private",
    "/mcp/nobody",
    "/mcp/",
    "/messages?sessionId=x",
    "/mcp/../mcp",
    "/ws",
  ),
  headers,
  body: fc.oneof(
    { weight: 300, arbitrary: text },
    { weight: 30, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
    fc.constant(oversized),
  ),
});

/** A request of the stateless era whose envelope and headers are right, so that what is inside is looked at. */
const statelessRequest = fc
  .record({ method: fc.constantFrom(...methods), id: fc.integer(), params, path: mostly("/mcp", "/mcp/stateful") })
  .map(({ method, id, params: inside, path }) => {
    const _meta = { [`${key}/protocolVersion`]: "2026-07-28", [`${key}/clientCapabilities`]: {} };
    const { name: called, uri: read } = inside as { name?: unknown; uri?: unknown };
    const named = method === "resources/read" ? read : called;
    const about =
      typeof named === "string" ? { "mcp-name": `=?base64?${Buffer.from(named).toString("base64")}?=` } : {};
    return {
      ...{ method: "POST", path },
      headers: {
        ...{ "content-type": "application/json", accept: "application/json, text/event-stream", ...about },
        ...{ "mcp-protocol-version": "2026-07-28", "mcp-method": method },
      } as Record<string, string>,
      body: Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...inside, _meta } })),
    };
  });

/** One hostile request over HTTP; `$session` stands for an open session's id. */
export const hostileRequest = fc.oneof(sessionRequest, statelessRequest);

/** One hostile message on a connection that carries messages both ways. */
export const hostileMessage = text;

/** What is written on a bare HTTP connection before it is left, half closed or reset. */
export const hostileConnection = fc.record({
  bytes: fc.oneof(
    fc.constantFrom(
      "",
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\n",
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n{",
      "GET /mcp HTTP/1.1\r\n\r\n",
      "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
      `GET /mcp HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
    ),
    fc.string(),
  ),
  ends: fc.constantFrom("half closed", "reset", "left open"),
});
