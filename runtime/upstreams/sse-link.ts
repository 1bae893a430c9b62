import { messageOf } from "../errors.ts";
import type { Agent, Dispatcher } from "../http-client.ts";
import { outgoingConnector } from "../outgoing/proxied-connector.ts";
import { isEventStream } from "../protocol/media-type.ts";
import { decoderOf, isPlain, unknownCoding } from "./body-decoder.ts";
import type { DuplexLink, Receive } from "./duplex-connector.ts";
import { EventReader } from "./event-reader.ts";
import { readInTurns } from "./read-in-turns.ts";
import { followed, redirectOf } from "./redirect.ts";
import type { UpstreamTls } from "./upstream-tls.ts";

/** Connections for messages to the server; others wait for one. The specification wants each POST answered at once. */
const maxConnections = 32;
/** A server that does not take a message for this long, in milliseconds, is gone. */
const takenMs = 60_000;

/** What a message that waits takes in memory beside its text. */
const waitingBytes = 2048;

/**
 * Connects to a server of 2024-11-05 over HTTP+SSE (basic/transports): a GET opens the stream on which it speaks, whose
 * first event tells where to POST messages.
 */
export async function openSse(
  url: URL,
  connectMs: number,
  receive: Receive,
  headers: Readonly<Record<string, string>> = {},
  tls?: UpstreamTls,
): Promise<DuplexLink> {
  const { Agent: Client } = await import("../http-client.ts");
  const connect = await (tls === undefined ? outgoingConnector(connectMs) : tls.connector(connectMs));
  const agent = new Client({ connect, bodyTimeout: 0, headersTimeout: connectMs });
  const posts = new Client({ connect, connections: maxConnections, bodyTimeout: takenMs, headersTimeout: takenMs });
  const over = Promise.withResolvers<string>();
  // However it has come to its end, no connection stays: a message that is refused leaves the stream open.
  const disconnected = over.promise.then(() => Promise.all([agent.destroy(), posts.destroy()]));
  const end = async (reason = "closed") => {
    over.resolve(reason);
    await disconnected;
  };
  let waiting = 0;
  try {
    const { origin } = url;
    const wanted = { accept: "text/event-stream", "accept-encoding": "identity" };
    const opening = { method: "GET", headers: { ...headers, ...wanted } } as const;
    const { answer: stream } = await asked(agent, url, opening);
    if (stream.statusCode !== 200 || !isEventStream(String(stream.headers["content-type"]))) {
      throw new Error(`${origin} answered HTTP ${stream.statusCode} and no event stream`);
    }
    const endpoint = Promise.withResolvers<URL>();
    const timer = setTimeout(() => endpoint.reject(new Error(`no endpoint event within ${connectMs} ms`)), connectMs);
    const events = new EventReader({
      onEvent: ({ event, data }) => {
        if (event !== "endpoint") receive(data);
        else if (URL.canParse(data, url.href)) endpoint.resolve(new URL(data, url));
        else endpoint.reject(new Error("its endpoint event is no URL"));
      },
      onBroken: (problem) => void end(problem),
    });
    const coding = String(stream.headers["content-encoding"] ?? "");
    const decoder = isPlain(coding) ? undefined : decoderOf(coding);
    if (!isPlain(coding) && decoder === undefined) throw new Error(`${origin} ${unknownCoding(coding)}`);
    decoder?.on("error", (error) => void end(`the event stream cannot be read as ${coding} (${error.message})`));
    const flow = readInTurns(decoder === undefined ? stream.body : stream.body.pipe(decoder), (chunk) =>
      events.push(chunk),
    );
    stream.body.on("close", () => over.resolve("the event stream has ended"));
    void over.promise.then(() => events.close());
    stream.body.on("error", (error) => over.resolve(messageOf(error)));
    void over.promise.then((reason) => endpoint.reject(new Error(reason)));
    let target = await endpoint.promise.finally(() => clearTimeout(timer));
    // A server may not send its clients' messages elsewhere (security: the token would go along).
    if (target.origin !== origin) throw new Error("the endpoint that the server names is of another origin");
    const post = async (body: string, onSent?: () => void) => {
      const size = body.length + waitingBytes;
      waiting += size;
      const message = { method: "POST", body, headers: { ...headers, "content-type": "application/json" } } as const;
      const { answer, at } = await asked(posts, target, message).finally(() => {
        waiting -= size;
      });
      target = at;
      await answer.body.dump();
      if (answer.statusCode >= 400) over.resolve(`the server answered HTTP ${answer.statusCode}`);
      else onSent?.();
    };
    return {
      get waiting() {
        return waiting;
      },
      pause: () => flow.pause(),
      resume: () => flow.resume(),
      send: (message, onSent) => void post(message, onSent).catch((error) => over.resolve(messageOf(error))),
      ended: over.promise,
      close: () => end(),
      abort: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Sends a request, and again where its server sends it on to within the origin. Rejects for any other redirect. */
async function asked(
  agent: Agent,
  url: URL,
  options: Pick<Dispatcher.RequestOptions, "method" | "headers" | "body">,
  times = 0,
): Promise<{ readonly answer: Dispatcher.ResponseData; readonly at: URL }> {
  const { origin, pathname, search } = url;
  const answer = await agent.request({ ...options, origin, path: pathname + search });
  const { location } = answer.headers;
  const redirect = redirectOf(answer.statusCode, typeof location === "string" ? location : undefined, url);
  if (redirect === undefined) return { answer, at: url };
  // Its text is not waited for: it can be endless.
  answer.body.on("error", () => {}).destroy();
  return asked(agent, followed(redirect, url, times), options, times + 1);
}
