import { request } from "undici";
import { memberText } from "../../runtime/protocol/json-scan.ts";
import { type Line, sseLine, tcpLine, webSocketLine } from "./ways-in.ts";

/** A way into the gateway on which nothing is parsed and written again: what is sent and heard is text. */
export interface RawWay {
  /** Sends a request with this id, and resolves with the text of its answer; `meta`: members of `_meta`. */
  ask(id: string, method: string, params: string, meta?: string): Promise<string>;
  /** Notifications and requests of the gateway, as they came. */
  readonly heard: string[];
  close(): Promise<void>;
}

/** Answers a request of the gateway with the text of a result. */
export type RawAnswer = (question: string) => string;

const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const capabilities = '{"elicitation":{}}';
const hello = (revision: string) =>
  `{"protocolVersion":"${revision}","capabilities":${capabilities},"clientInfo":{"name":"raw","version":"1"}}`;
const withMeta = (params: string, meta: string) =>
  meta === "" ? params : `${params.slice(0, -1)}${params === "{}" ? "" : ","}"_meta":{${meta}}}`;
const message = (id: string, method: string, params: string) =>
  `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`;
const replyTo = (question: string, result: string) =>
  `{"jsonrpc":"2.0","id":${memberText(question, "id")},"result":${result}}`;

/** A session over a connection that carries whole messages. */
export async function rawSessionOn(line: Line, answer: RawAnswer): Promise<RawWay> {
  const heard: string[] = [];
  const waiting = new Map<string, PromiseWithResolvers<string>>();
  const take = (text: string) => {
    const id = memberText(text, "id");
    if (memberText(text, "method") === undefined) waiting.get(id as string)?.resolve(text);
    else {
      heard.push(text);
      if (id !== undefined) line.send(replyTo(text, answer(text)));
    }
  };
  // An answer that cannot come fails its call, so that no test waits for it.
  line.listen(take, () => {
    for (const { reject } of waiting.values()) reject(new Error("the connection has ended"));
  });
  const ask: RawWay["ask"] = (id, method, params, meta = "") => {
    const reply = Promise.withResolvers<string>();
    waiting.set(id, reply);
    line.send(message(id, method, withMeta(params, meta)));
    return reply.promise.finally(() => waiting.delete(id));
  };
  await ask("0", "initialize", hello("2025-11-25"));
  return { ask, heard, close: async () => line.close() };
}

/** A session of Streamable HTTP; `batched`: of 2025-03-26, each request in an array of its own. */
export async function rawSessionOver(url: string, answer: RawAnswer, batched = false): Promise<RawWay> {
  const revision = batched ? "2025-03-26" : "2025-11-25";
  const heard: string[] = [];
  let session: Record<string, string> = {};
  const post = (body: string) => request(url, { method: "POST", headers: { ...json, ...session }, body });
  const opened = await post(message("0", "initialize", hello(revision)));
  await opened.body.dump();
  session = { "mcp-session-id": String(opened.headers["mcp-session-id"]), "mcp-protocol-version": revision };
  return {
    async ask(id, method, params, meta = "") {
      const text = message(id, method, withMeta(params, meta));
      const { body, headers } = await post(batched ? `[${text}]` : text);
      if (headers["content-type"] === "application/json") return unbatched(await body.text());
      let reply = "";
      for await (const data of events(body)) {
        if (memberText(data, "method") === undefined) reply = unbatched(data);
        else {
          heard.push(data);
          if (memberText(data, "id") !== undefined) await (await post(replyTo(data, answer(data)))).body.dump();
        }
      }
      return reply;
    },
    heard,
    close: async () => {
      await (await request(url, { method: "DELETE", headers: session })).body.dump();
    },
  };
}

const unbatched = (text: string) => (text.startsWith("[") ? text.slice(1, -1) : text);

/** The data of the events of a stream. */
async function* events(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() as string;
    for (const line of lines) if (line.startsWith("data: ")) yield line.slice("data: ".length);
  }
}

/** Requests of 2026-07-28; questions are asked by results, and answered by the same request again. */
export function rawStatelessOver(url: string, answer: RawAnswer): RawWay {
  const heard: string[] = [];
  const key = "io.modelcontextprotocol";
  const envelope = `"${key}/protocolVersion":"2026-07-28","${key}/clientCapabilities":${capabilities},"${key}/logLevel":"debug"`;
  const send = async (id: string, method: string, params: string): Promise<string> => {
    const name = memberText(params, "name") ?? memberText(params, "uri");
    const headers: Record<string, string> = { ...json, "mcp-protocol-version": "2026-07-28", "mcp-method": method };
    if (name !== undefined) headers["mcp-name"] = JSON.parse(name);
    const answered = await request(url, { method: "POST", headers, body: message(id, method, params) });
    if (answered.headers["content-type"] === "application/json") return answered.body.text();
    let reply = "";
    for await (const data of events(answered.body)) {
      if (memberText(data, "method") === undefined) reply = data;
      else heard.push(data);
    }
    return reply;
  };
  return {
    async ask(id, method, params, meta = "") {
      const whole = withMeta(params, meta === "" ? envelope : `${envelope},${meta}`);
      const reply = await send(id, method, whole);
      const result = memberText(reply, "result") ?? "{}";
      const questions = memberText(result, "inputRequests");
      if (questions === undefined) return reply;
      heard.push(questions);
      const [key] = Object.keys(JSON.parse(questions));
      const responses = `"inputResponses":{"${key}":${answer(questions)}}`;
      const state = `"requestState":${memberText(result, "requestState")}`;
      return send(id, method, `${whole.slice(0, -1)},${responses},${state}}`);
    },
    heard,
    close: async () => {},
  };
}

/** The ways of MCP into a gateway; `path` is that of a room, such as `/docs`, or empty. */
export const rawWays = {
  "Streamable HTTP, 2025-11-25": (url: string, path: string, answer: RawAnswer) =>
    rawSessionOver(`${url}/mcp${path}`, answer),
  "Streamable HTTP, 2025-03-26, in batches": (url: string, path: string, answer: RawAnswer) =>
    rawSessionOver(`${url}/mcp${path}`, answer, true),
  "Streamable HTTP, 2026-07-28": async (url: string, path: string, answer: RawAnswer) =>
    rawStatelessOver(`${url}/mcp${path}`, answer),
  "HTTP+SSE": async (url: string, path: string, answer: RawAnswer) =>
    rawSessionOn(await sseLine(url, `/sse${path}`), answer),
  WebSocket: async (url: string, path: string, answer: RawAnswer) =>
    rawSessionOn(await webSocketLine(`${url}/ws${path}`), answer),
};

/** The same over the gateway's TCP port, which has one room. */
export const rawTcp = async (port: number, answer: RawAnswer): Promise<RawWay> =>
  rawSessionOn(await tcpLine(port), answer);
