import { FleetError } from "../errors.ts";
import { answerServer } from "../protocol/client-requests.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcMessage, RpcReply } from "../protocol/json-rpc.ts";
import {
  type DiscoverResult,
  envelope,
  enveloped,
  type InputRequired,
  inputRequiredOf,
  modernRevision,
  withoutModernParts,
} from "../protocol/modern.ts";
import type { GatewayIdentity } from "./handshake.ts";
import { serverInfoOf } from "./server-info.ts";
import type { EndReason, ServerDescription, SessionEvents, UpstreamSession } from "./upstream-session.ts";

/** How messages reach a server of the stateless era. */
export interface ModernWire {
  /** Sends one request, its envelope already in `params._meta`. */
  request(method: string, params: Params, exchange: Exchange): Promise<RpcReply>;
  /**
   * Opens `subscriptions/listen`; `ended` settles when the server ends it or the connection breaks. True: the server has
   * refused it, and would do so again.
   */
  listen(params: Params, onMessage: (message: RpcMessage) => void): { readonly ended: Promise<boolean>; close(): void };
  readonly ended: Promise<EndReason>;
  /** Each request stands for itself on it. Defaults to false: what is said on one connection can belong together. */
  readonly stateless?: boolean;
  close(): Promise<void>;
}

/** Rounds of questions that one call may take (a server that never has enough must not go on for ever). */
const maxRounds = 20;
const listenRetryMs = 1000;
/** Resources that clients subscribe to one after the other are asked for together, after so many milliseconds. */
const gatherMs = 20;

/**
 * A server of the stateless era (2026-07-28), as the rest of the gateway knows servers: the session era's methods that
 * are gone are answered here, questions of the server are put to a session-era client, subscriptions become one
 * `subscriptions/listen`.
 */
export class ModernSession implements UpstreamSession {
  readonly description: ServerDescription;
  readonly stateless: boolean;
  readonly ended: Promise<EndReason>;
  readonly #fleet: string;
  readonly #wire: ModernWire;
  readonly #events: SessionEvents;
  readonly #identity: GatewayIdentity;
  readonly #now: () => number;
  readonly #watched = new Set<string>();
  #stream: { close(): void } | undefined;
  #relisten: NodeJS.Timeout | undefined;
  #over = false;

  constructor(
    fleet: string,
    wire: ModernWire,
    events: SessionEvents,
    identity: GatewayIdentity,
    { capabilities, instructions, _meta }: DiscoverResult,
    now: () => number,
  ) {
    this.#fleet = fleet;
    this.#wire = wire;
    this.#events = events;
    this.#identity = identity;
    this.#now = now;
    this.ended = wire.ended;
    this.stateless = wire.stateless === true;
    const serverInfo = _meta?.[envelope.serverInfo] as ServerDescription["serverInfo"] | undefined;
    this.description = {
      ...{ protocolVersion: modernRevision, modern: true, capabilities },
      serverInfo: serverInfoOf(serverInfo, fleet),
      ...(instructions === undefined ? {} : { instructions }),
    };
    void wire.ended.then(() => this.#stop());
    if (Object.keys(this.#filter()).length > 0) void this.#listen();
  }

  async request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    switch (method) {
      case "ping":
      case "logging/setLevel":
        return { result: {} };
      case "resources/subscribe":
        this.#watch(String(params?.uri), true);
        return { result: {} };
      case "resources/unsubscribe":
        this.#watch(String(params?.uri), false);
        return { result: {} };
      default:
        return this.#call(method, params, exchange);
    }
  }

  /** The stateless era has no notifications to servers but the end of a call, which the wire tells. */
  notify(): void {}

  async close(): Promise<void> {
    this.#stop();
    await this.#wire.close();
  }

  async #call(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    const { client } = exchange;
    const latest = this.#now() + exchange.remainingMs;
    let sent = params;
    for (let round = 0; round < maxRounds; round += 1) {
      const reply = await this.#wire.request(method, enveloped(sent, client, { ...this.#identity }), exchange);
      // A modern client takes everything as it is, questions included.
      if (client?.modern) return reply;
      const wish = inputRequiredOf(reply);
      if (wish === undefined) return withoutModernParts(reply);
      const answers = await this.#ask(wish, exchange);
      if ("error" in answers) return answers;
      // All rounds are one call.
      exchange.remainingMs = exchange.restMs(this.#now(), latest);
      if (exchange.remainingMs <= 0) throw exchange.expired(this.#fleet);
      const { requestState } = wish;
      sent = { ...params, inputResponses: answers.result, ...(requestState === undefined ? {} : { requestState }) };
    }
    const text = `${this.#fleet}: ${method} asked for input ${maxRounds} times without a result`;
    throw new FleetError("UPSTREAM_PROTOCOL", text);
  }

  /** All answers by their keys, or the first refusal. */
  async #ask({ inputRequests }: InputRequired, exchange: Exchange): Promise<RpcReply> {
    const keys = Object.keys(inputRequests);
    const replies = await Promise.all(
      Object.values(inputRequests).map(({ method, params }) => answerServer(exchange, method, params)),
    );
    const answers: Params = {};
    for (const [index, reply] of replies.entries()) {
      if ("error" in reply) return reply;
      answers[keys[index] as string] = reply.result;
    }
    return { result: answers };
  }

  #watch(uri: string, wanted: boolean): void {
    if (wanted === this.#watched.has(uri)) return;
    if (wanted) this.#watched.add(uri);
    else this.#watched.delete(uri);
    this.#relisten ??= setTimeout(() => {
      this.#relisten = undefined;
      // A filter is fixed for the life of its stream: a new one takes over, then the old one is closed.
      const before = this.#stream;
      void this.#listen();
      before?.close();
    }, gatherMs);
  }

  /** What is worth listening to, by what the server says that it tells (basic/patterns/subscriptions). */
  #filter(): Params {
    const offers = (kind: string, key: string) =>
      (this.description.capabilities[kind] as Params | undefined)?.[key] === true;
    return {
      ...(offers("tools", "listChanged") ? { toolsListChanged: true } : {}),
      ...(offers("prompts", "listChanged") ? { promptsListChanged: true } : {}),
      ...(offers("resources", "listChanged") ? { resourcesListChanged: true } : {}),
      ...(this.#watched.size === 0 ? {} : { resourceSubscriptions: [...this.#watched] }),
    };
  }

  /** Keeps one stream open; another call of it takes over. */
  async #listen(): Promise<void> {
    let mine: { close(): void } | undefined;
    while (!this.#over && this.#stream === mine) {
      const params = enveloped({ notifications: this.#filter() }, undefined, { ...this.#identity });
      const stream = this.#wire.listen(params, (message) => this.#heard(message));
      mine = stream;
      this.#stream = stream;
      const refused = await stream.ended.catch(() => false);
      if (refused || this.#stream !== mine) return;
      await new Promise((resolve) => setTimeout(resolve, listenRetryMs).unref());
    }
  }

  #heard(message: RpcMessage): void {
    if (!("method" in message) || message.method === "notifications/subscriptions/acknowledged") return;
    const { _meta, ...params } = message.params ?? {};
    const { [envelope.subscription]: _subscription, ...meta } = (_meta as Params | undefined) ?? {};
    this.#events.onNotification(message.method, Object.keys(meta).length === 0 ? params : { ...params, _meta: meta });
  }

  #stop(): void {
    this.#over = true;
    clearTimeout(this.#relisten);
    this.#stream?.close();
  }
}
