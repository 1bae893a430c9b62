import { createParser } from "eventsource-parser";
import { messageOf } from "../errors.ts";
import type { DuplexLink } from "./duplex-connector.ts";
import type { UpstreamTls } from "./upstream-tls.ts";

/**
 * Connects to a server of 2024-11-05 over HTTP+SSE (basic/transports): a GET opens the stream on which it speaks, whose
 * first event tells where to POST messages.
 */
export async function openSse(
  url: URL,
  connectMs: number,
  receive: (message: string) => void,
  headers: Readonly<Record<string, string>> = {},
  tls?: UpstreamTls,
): Promise<DuplexLink> {
  const { Agent } = await import("../http-client.ts");
  const connect = tls === undefined ? { timeout: connectMs } : await tls.connector(connectMs);
  const agent = new Agent({ connect, bodyTimeout: 0, headersTimeout: connectMs });
  const over = Promise.withResolvers<string>();
  try {
    const { origin, pathname, search } = url;
    const stream = await agent.request({
      ...{ origin, path: pathname + search, method: "GET", headers: { ...headers, accept: "text/event-stream" } },
    });
    if (stream.statusCode !== 200 || !String(stream.headers["content-type"]).startsWith("text/event-stream")) {
      throw new Error(`${origin} answered HTTP ${stream.statusCode} and no event stream`);
    }
    const endpoint = Promise.withResolvers<URL>();
    const timer = setTimeout(() => endpoint.reject(new Error(`no endpoint event within ${connectMs} ms`)), connectMs);
    const parser = createParser({
      onEvent: ({ event, data }) => {
        if (event !== "endpoint") receive(data);
        else if (URL.canParse(data, url.href)) endpoint.resolve(new URL(data, url));
        else endpoint.reject(new Error("the endpoint that the server names is no URL"));
      },
    });
    stream.body.setEncoding("utf8");
    stream.body.on("data", (text: string) => parser.feed(text));
    stream.body.on("close", () => over.resolve("the event stream has ended"));
    stream.body.on("error", (error) => over.resolve(messageOf(error)));
    void over.promise.then((reason) => endpoint.reject(new Error(reason)));
    const target = await endpoint.promise.finally(() => clearTimeout(timer));
    // A server may not send its clients' messages elsewhere (security: the token would go along).
    if (target.origin !== origin) throw new Error("the endpoint that the server names is of another origin");
    const post = async (body: string, onSent?: () => void) => {
      const path = target.pathname + target.search;
      const answer = await agent.request({
        ...{ origin, path, method: "POST", body, headers: { ...headers, "content-type": "application/json" } },
      });
      await answer.body.dump();
      if (answer.statusCode >= 400) over.resolve(`the server answered HTTP ${answer.statusCode}`);
      else onSent?.();
    };
    const close = async () => {
      over.resolve("closed");
      await agent.destroy();
    };
    return {
      send: (message, onSent) => void post(message, onSent).catch((error) => over.resolve(messageOf(error))),
      ended: over.promise,
      close,
      abort: close,
    };
  } catch (error) {
    await agent.destroy();
    throw error;
  }
}
