import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  type HttpConnection,
  HttpPool,
  type Requester,
  requestHead,
} from "../../../../runtime/upstreams/http1/index.ts";

// Against a server of plain sockets, so that every byte and every close is the test's own.
let server: Server;
let pool: HttpPool;
let url: URL;
let sockets: Socket[];
/** What the server does with the bytes of one request. */
let answer: (socket: Socket, request: string) => void;

const reply = (body: string, headers = "") =>
  `HTTP/1.1 200 OK\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`;

beforeEach(async () => {
  sockets = [];
  answer = (socket, request) => socket.write(reply(request.split("\r\n\r\n")[1] as string));
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => answer(socket, bytes.toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
  pool = new HttpPool({ url, maxConnections: 2, connectMs: 1000, maxLifetimeMs: 60_000 });
});
afterEach(async () => {
  pool.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

class Recorder implements Requester {
  connection: HttpConnection | undefined;
  #body = "";
  readonly #end = Promise.withResolvers<string>();
  readonly done = this.#end.promise;
  onSent(connection: HttpConnection) {
    this.connection = connection;
  }
  onResponse() {}
  onData(chunk: Buffer) {
    this.#body += chunk.toString();
  }
  onEnd() {
    this.#end.resolve(this.#body);
  }
  onError(error: Error) {
    this.#end.resolve(`${this.connection === undefined ? "unsent" : "sent"}: ${error.message}`);
  }
}

const head = () => requestHead("POST", "/mcp", url.host, { accept: "*/*" });

function ask(body: string): Recorder {
  const recorder = new Recorder();
  pool.request(head(), body, recorder);
  return recorder;
}

test("a request is one write of head and body", async () => {
  let seen = "";
  answer = (socket, request) => {
    seen = request;
    socket.write(reply("ok"));
  };
  expect(await ask('{"ä":1}').done).toBe("ok");
  expect(seen).toBe(
    `POST /mcp HTTP/1.1\r\nhost: ${url.host}\r\naccept-encoding: identity\r\naccept: */*\r\ncontent-length: 8\r\n\r\n{"ä":1}`,
  );
});

test("connections are used again, and no more are opened than may be", async () => {
  const bodies = Array.from({ length: 20 }, (_, index) => `call ${index}`);
  expect(await Promise.all(bodies.map((body) => ask(body).done))).toEqual(bodies);
  expect(await ask("again").done).toBe("again");
  expect(sockets).toHaveLength(2);
  expect(pool.statistics).toEqual({ total: 2, idle: 2, streams: 0, lent: 0, waiting: 0 });
});

test("a stream has a connection of its own", async () => {
  answer = (socket) => socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n");
  const stream = new Recorder();
  pool.stream(head(), undefined, stream);
  while (stream.connection === undefined) await new Promise((resolve) => setImmediate(resolve));
  expect(pool.statistics).toEqual({ total: 0, idle: 0, streams: 1, lent: 0, waiting: 0 });
  stream.connection.close();
  expect(await stream.done).toBe("sent: the server closed the connection");
  expect(pool.statistics.streams).toBe(0);
});

test("a server that nobody runs: the request has not been sent", async () => {
  const gone = new HttpPool({
    url: new URL("http://127.0.0.1:9"),
    maxConnections: 2,
    connectMs: 1000,
    maxLifetimeMs: 1,
  });
  const recorder = new Recorder();
  gone.request(head(), "x", recorder);
  expect(await recorder.done).toBe("unsent: connect ECONNREFUSED 127.0.0.1:9");
  expect(gone.statistics).toEqual({ total: 0, idle: 0, streams: 0, lent: 0, waiting: 0 });
  gone.close();
});

test("a connection that breaks fails its own request; one that waits gets another connection", async () => {
  let first = true;
  answer = (socket, request) => {
    if (first) socket.destroy();
    else socket.write(reply(request.split("\r\n\r\n")[1] as string));
    first = false;
  };
  pool.close();
  pool = new HttpPool({ url, maxConnections: 1, connectMs: 1000, maxLifetimeMs: 60_000 });
  const [broken, waiting] = [ask("one"), ask("two")];
  expect(await broken.done).toBe("sent: the server closed the connection");
  expect(await waiting.done).toBe("two");
});

test("a response that was never asked for does not answer the next request", async () => {
  answer = (socket) => socket.write(reply("mine") + reply("forged"));
  expect(await ask("one").done).toBe("mine");
  answer = (socket) => socket.write(reply("mine too"));
  expect(await ask("two").done).toBe("mine too");
  expect(sockets).toHaveLength(2);
});

test("a connection lies idle no longer than the pool allows, whatever the server says", async () => {
  pool.close();
  pool = new HttpPool({ url, maxConnections: 2, connectMs: 1000, idleMs: 1, maxLifetimeMs: 60_000 });
  answer = (socket) => socket.write(reply("ok", "keep-alive: timeout=60\r\n"));
  await ask("one").done;
  const until = performance.now() + 2;
  while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
  await ask("two").done;
  expect(sockets).toHaveLength(2);
});

test("a connection is not used any more when the server says how short it is kept, or when it has lived long enough", async () => {
  answer = (socket) => socket.write(reply("ok", "keep-alive: timeout=1\r\n"));
  await ask("one").done;
  await ask("two").done;
  expect(sockets).toHaveLength(2);
  expect(pool.statistics.total).toBe(0);
});

test("cancelled before it went out", async () => {
  answer = () => {};
  const sent = [ask("one"), ask("two")];
  const waits = ask("three");
  expect(pool.cancel(waits)).toBe(true);
  expect(pool.statistics.waiting).toBe(2);
  while (sent.some(({ connection }) => connection === undefined)) await new Promise((resolve) => setImmediate(resolve));
  expect(pool.cancel(sent[0] as Recorder)).toBe(false);
});

test("closing fails what is on the way and what waits", async () => {
  answer = () => {};
  const all = [ask("one"), ask("two"), ask("three")];
  while (all[0]?.connection === undefined) await new Promise((resolve) => setImmediate(resolve));
  pool.close();
  const said = await Promise.all(all.map(({ done }) => done));
  expect(said.map((text) => text.includes("the server closed the connection"))).toEqual([true, true, true]);
  expect(await ask("late").done).toBe("unsent: the pool is closed");
});

test("a header value cannot end its line", () => {
  expect(() => requestHead("GET", "/", "h", { a: "b\r\nc: d" })).toThrow(
    "the value of the header a has a character that no header may have",
  );
});

test("calls that wait for their clients leave connections to others, as many as there may be of them", async () => {
  const held: Socket[] = [];
  answer = (socket, request) => {
    const body = request.split("\r\n\r\n")[1] as string;
    if (body.startsWith("wait")) held.push(socket);
    else socket.write(reply(body));
  };
  const waits = ["wait 1", "wait 2"].map(ask);
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(pool.full).toBe(true);
  const next = ask("next");
  expect(waits.map(({ connection }) => pool.lend(connection as HttpConnection))).toEqual([true, true]);
  expect(await next.done).toBe("next");
  const more = [ask("wait 3"), ask("wait 4")];
  while (held.length < 4) await new Promise((resolve) => setImmediate(resolve));
  expect(more.map(({ connection }) => pool.lend(connection as HttpConnection))).toEqual([false, false]);
  expect(pool.statistics).toMatchObject({ total: 2, lent: 2 });
  for (const socket of held) socket.write(reply("done"));
  expect(await Promise.all([...waits, ...more].map(({ done }) => done))).toEqual(Array(4).fill("done"));
  while (pool.statistics.lent > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(await ask("after").done).toBe("after");
});
