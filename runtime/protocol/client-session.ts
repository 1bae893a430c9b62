import { FleetError } from "../errors.ts";
import { identity } from "../version.ts";
import { type Elsewhere, elsewhereOf } from "./elsewhere.ts";
import { keyOf } from "./exact-number.ts";
import type { Exchange } from "./exchange.ts";
import { encodeNotification, encodeRequest, type Params, type RequestId, type RpcReply } from "./json-rpc.ts";
import type { Question } from "./questions.ts";
import type { SessionClaims } from "./sealed-session.ts";
import { SlotTable } from "./slot-table.ts";
import { wantedMessage } from "./wanted.ts";

/** Where a client hears what belongs to none of its calls: an event stream, a connection. */
export interface NoticeStream {
  /** Does anybody read it now? What is sent to a stream that is not read waits for its reader to come back. */
  readonly attached: boolean;
  send(message: string): void;
  /** Resolves when a client that is slow has read most of what waits for it; undefined while it keeps up. */
  caughtUp?(): Promise<void> | undefined;
  /** A sign of life, where the transport has none of its own. */
  keepAlive(): void;
  /** Ends it, with a last message if there is one. */
  end(message?: string): void;
}

/** Questions of servers that may wait for one client: more than a person answers, less than memory notices. */
export const maxOpenQuestions = 64;

/** Event streams that one session may have open: one is enough, some clients open another before they leave the first. */
export const maxStreams = 16;

/** A client's session in this process: what its sealed id says, and what is going on in it. */
export class ClientSession {
  readonly claims: SessionClaims;
  /** Calls in flight, for `notifications/cancelled`. */
  readonly calls = new SlotTable<Exchange>();
  /** The client's open GET streams, or its connection. */
  readonly streams = new Set<NoticeStream>();
  /** Fleets that may hold an instance for this session. */
  readonly fleets = new Set<string>();
  /** Under which name fleets lease instances to it; undefined for its own. */
  lease: string | undefined;
  /** Set by `logging/setLevel`. */
  logLevel: string | undefined;
  readonly #asked = new Map<RequestId, PromiseWithResolvers<RpcReply>>();
  #lastAsked = 0;

  constructor(claims: SessionClaims) {
    this.claims = claims;
  }

  /** Under what name fleets keep things for it. */
  get owner(): string {
    return this.claims.id;
  }

  get caller(): string {
    return this.claims.caller;
  }

  /**
   * Sends a message on one of the session's streams, one that is read if there is one. False when nobody reads it: a
   * notification may be lost, as the protocol allows.
   */
  notify(message: string): boolean {
    let left: NoticeStream | undefined;
    for (const stream of this.streams) {
      if (stream.attached) {
        stream.send(message);
        return true;
      }
      left = stream;
    }
    left?.send(message);
    return false;
  }

  /** It is a gateway's that tries other hosts, of which this is known, when this one has no instance free. */
  get elsewhere(): Elsewhere | undefined {
    return elsewhereOf(this.claims.client.capabilities);
  }

  /** Others wait for what it has leased: a gateway can know which of its clients have gone. */
  wanted(): void {
    if (this.claims.client.clientInfo?.name === identity.name) this.notify(wantedMessage);
  }

  /** Questions of servers that wait for the client, of `maxOpenQuestions`. */
  get openQuestions(): number {
    return this.#asked.size;
  }

  /** Opens another event stream; what was left is forgotten, and past `maxStreams` the oldest one is ended. */
  open(stream: NoticeStream): void {
    for (const other of this.streams) if (!other.attached) this.streams.delete(other);
    for (const oldest of this.streams) {
      if (this.streams.size < maxStreams) break;
      this.streams.delete(oldest);
      oldest.end();
    }
    this.streams.add(stream);
  }

  /** Does the client read a stream of the session now? */
  get attached(): boolean {
    for (const stream of this.streams) if (stream.attached) return true;
    return false;
  }

  /**
   * Sends a request of a server with an id of the gateway's own; resolves with the client's reply. Rejects with OVERLOADED
   * when `maxOpenQuestions` wait. A question that is withdrawn is cancelled at the client.
   */
  ask(
    method: string,
    params: Params | undefined,
    send: (message: string) => boolean,
    question: Question,
  ): Promise<RpcReply> {
    if (this.#asked.size >= maxOpenQuestions) {
      const text = `${method}: ${maxOpenQuestions} questions wait for the client; ask again when one is answered`;
      return Promise.reject(new FleetError("OVERLOADED", text));
    }
    this.#lastAsked += 1;
    const id = `mcp-fleet-${this.#lastAsked}`;
    if (!send(encodeRequest(id, method, params))) return Promise.reject(unheard(method));
    const asked = Promise.withResolvers<RpcReply>();
    this.#asked.set(id, asked);
    question.onWithdrawn((error) => {
      if (!this.#asked.delete(id)) return;
      send(encodeNotification("notifications/cancelled", { requestId: id, reason: error.message }));
      asked.reject(error);
    });
    return asked.promise;
  }

  /** The client has answered a request of a server; one that nobody waits for any more is dropped. */
  answered(id: RequestId, reply: RpcReply): void {
    this.#asked.get(id)?.resolve(reply);
    this.#asked.delete(id);
  }

  /** The client gives up a call of its own. */
  cancelled(id: unknown, reason: string): void {
    const key = keyOf(id);
    for (const exchange of this.calls) if (keyOf(exchange.requestId) === key) exchange.cancel(reason);
  }

  /** Does its client wait for an answer, or read a stream? Then it is not idle, however long it says nothing. */
  get inUse(): boolean {
    return this.calls.size > 0 || this.attached;
  }

  /** Nothing is going on in it, and nothing is known of it but what its id says. */
  get atRest(): boolean {
    const { calls, streams, logLevel, lease } = this;
    return (
      calls.size === 0 && streams.size === 0 && this.#asked.size === 0 && logLevel === undefined && lease === undefined
    );
  }

  /** The session is over: nobody will answer. */
  close(): void {
    for (const stream of this.streams) stream.end();
    for (const exchange of this.calls) exchange.cancel("the client's session has ended");
    for (const asked of this.#asked.values())
      asked.reject(new FleetError("CANCELLED", "the client's session has ended"));
    this.#asked.clear();
  }
}

function unheard(method: string): FleetError {
  const text = `${method}: the client takes no event stream; send Accept: text/event-stream, or open one with GET`;
  return new FleetError("NOT_ACCEPTABLE", text);
}
