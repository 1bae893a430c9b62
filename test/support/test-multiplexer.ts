import type { ExchangeClient } from "../../runtime/protocol/exchange.ts";
import { RequestIds } from "../../runtime/protocol/request-ids.ts";
import { Multiplexer, type MultiplexerOptions } from "../../runtime/upstreams/multiplexer.ts";

/** A client that can be asked, and answers nothing. */
export const anna: ExchangeClient = {
  owner: "anna",
  modern: false,
  present: true,
  clientInfo: undefined,
  logLevel: undefined,
  capabilities: { roots: {} },
  ask: () => Promise.reject(new Error("not asked")),
};

/** A multiplexer, what it has sent and told, and a way to answer. */
export function multiplexer(reaches = true, ids = new RequestIds(), more: Partial<MultiplexerOptions> = {}) {
  const sent: Record<string, unknown>[] = [];
  const heard: unknown[] = [];
  const mux = new Multiplexer({
    name: "fake",
    ids,
    events: { onNotification: (method, params) => heard.push([method, params]) },
    send: (message, onSent) => {
      sent.push(JSON.parse(message));
      if (reaches) onSent?.();
    },
    ...more,
  });
  const say = (message: object) => mux.receive(JSON.stringify({ jsonrpc: "2.0", ...message }));
  /** The id of the n-th message that was sent. */
  const idOf = (n: number) => sent[n]?.id as number;
  return { mux, sent, heard, say, idOf };
}
