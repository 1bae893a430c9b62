import { get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { request } from "undici";
import { WebSocket } from "ws";
import { encodeHeaderValue, nameForHeader } from "../../runtime/protocol/header-values.ts";
import type { Params } from "../../runtime/protocol/json-rpc.ts";
import { messageIn } from "./answer-text.ts";

/** What a request has come to, on whatever way. */
export interface WayReply {
  readonly result?: Params;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Params };
}

/** Makes one request. */
export type Ask = (method: string, params: Params | undefined) => Promise<WayReply>;

/** A way into the gateway: requests one after the other. */
export interface Way {
  readonly ask: Ask;
  close(): void;
}

const key = "io.modelcontextprotocol";
const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const hello = (protocolVersion: string, capabilities: Params) => ({
  protocolVersion,
  capabilities,
  clientInfo: { name: "test", version: "1.0.0" },
});

export interface WayOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly capabilities?: Params;
  /** 2025-03-26, and each request in an array of its own. */
  readonly batched?: boolean;
}

/** A session of Streamable HTTP. */
export async function sessionOver(
  url: string,
  { headers = {}, capabilities = {}, batched = false }: WayOptions = {},
): Promise<Way> {
  const revision = batched ? "2025-03-26" : "2025-11-25";
  const post = (body: string, more: Record<string, string> = {}) =>
    request(url, { method: "POST", headers: { ...json, ...headers, ...more }, body });
  const opened = await post(
    JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params: hello(revision, capabilities) }),
  );
  await opened.body.dump();
  const mine = { "mcp-session-id": String(opened.headers["mcp-session-id"]), "mcp-protocol-version": revision };
  return {
    async ask(method, params) {
      const message = { jsonrpc: "2.0", id: 1, method, params };
      const { body } = await post(JSON.stringify(batched ? [message] : message), mine);
      const answer = messageIn(await body.text());
      return (batched ? (answer as unknown[])[0] : answer) as WayReply;
    },
    close: () => {},
  };
}

/** Requests of 2026-07-28. */
export function statelessOver(url: string, { headers = {}, capabilities = {} }: WayOptions = {}): Way {
  return {
    async ask(method, params) {
      const _meta = { [`${key}/protocolVersion`]: "2026-07-28", [`${key}/clientCapabilities`]: capabilities };
      const sent = { ...params, _meta };
      const name = nameForHeader(method, sent);
      const { body } = await request(url, {
        method: "POST",
        headers: {
          ...json,
          ...headers,
          "mcp-protocol-version": "2026-07-28",
          "mcp-method": encodeHeaderValue(method),
          ...(name === undefined ? {} : { "mcp-name": encodeHeaderValue(name) }),
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: sent }),
      });
      return messageIn(await body.text()) as WayReply;
    },
    close: () => {},
  };
}

/** The REST interface, at a path that `at` makes of a request, with the body that it gives. */
export function restOver(
  at: (method: string, params: Params | undefined) => { readonly url: string; readonly body: unknown },
  { headers = {} }: WayOptions = {},
): Way {
  return {
    async ask(method, params) {
      const { url, body } = at(method, params);
      const answer = await request(url, {
        method: "POST",
        headers: { ...json, ...headers },
        body: JSON.stringify(body),
      });
      return (await answer.body.json()) as WayReply;
    },
    close: () => {},
  };
}

/** A connection that carries whole messages both ways. */
export interface Line {
  send(text: string): void;
  /** `ended` is called when the connection has closed. */
  listen(take: (text: string) => void, ended: () => void): void;
  close(): void;
}

/** A session over such a connection; `answer` replies to what the server asks. */
export async function sessionOn(
  line: Line,
  { capabilities = {} }: WayOptions = {},
  answer: (message: Params) => Params = () => ({}),
): Promise<Way> {
  const waiting = new Map<unknown, PromiseWithResolvers<WayReply>>();
  let last = 0;
  const take = (text: string) => {
    const message = JSON.parse(text) as Params;
    if (message.method === undefined) waiting.get(message.id)?.resolve(message as WayReply);
    else if (message.id !== undefined)
      line.send(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: answer(message) }));
  };
  // An answer that cannot come fails its call, so that no test waits for it.
  line.listen(take, () => {
    for (const { reject } of waiting.values()) reject(new Error("the connection has ended"));
  });
  const ask: Ask = (method, params) => {
    last += 1;
    const id = last;
    const reply = Promise.withResolvers<WayReply>();
    waiting.set(id, reply);
    line.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return reply.promise.finally(() => waiting.delete(id));
  };
  await ask("initialize", hello("2025-11-25", capabilities));
  return { ask, close: () => line.close() };
}

export async function webSocketLine(url: string): Promise<Line> {
  const socket = new WebSocket(url.replace(/^http/, "ws"), "mcp");
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return {
    send: (text) => socket.send(text),
    listen: (take, ended) => void socket.on("message", (data) => take(String(data))).on("close", ended),
    close: () => socket.terminate(),
  };
}

export async function tcpLine(port: number): Promise<Line> {
  const socket = connect(port, "127.0.0.1");
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  socket.on("error", () => {});
  return {
    send: (text) => void socket.write(`${text}\n`),
    listen: (take, ended) => void createInterface({ input: socket.on("close", ended) }).on("line", take),
    close: () => socket.destroy(),
  };
}

/** HTTP+SSE of 2024-11-05: `url` is the gateway's, `path` that of the stream. */
export async function sseLine(url: string, path: string): Promise<Line> {
  const stream = await new Promise<IncomingMessage>((resolve, reject) => get(url + path, resolve).on("error", reject));
  const endpoint = Promise.withResolvers<string>();
  let take: (text: string) => void = (text) => endpoint.resolve(text);
  createInterface({ input: stream }).on("line", (line) => {
    if (line.startsWith("data: ")) take(line.slice("data: ".length));
  });
  stream.on("error", () => {});
  const messages = url + (await endpoint.promise);
  return {
    send: (body) => {
      const sent = request(messages, { method: "POST", headers: json, body }).then((reply) => reply.body.dump());
      sent.catch((error) => stream.destroy(error));
    },
    listen: (taker, ended) => {
      take = taker;
      stream.on("close", ended);
    },
    close: () => stream.destroy(),
  };
}
