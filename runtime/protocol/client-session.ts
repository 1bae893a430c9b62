import type { EventStream } from "../listeners/event-stream.ts";
import type { Exchange } from "./exchange.ts";
import type { RequestId } from "./json-rpc.ts";
import type { SessionClaims } from "./sealed-session.ts";

/** A client's session in this process: what its sealed id says, and what is going on in it. */
export class ClientSession {
  readonly claims: SessionClaims;
  /** Calls in flight by the client's own request id, for `notifications/cancelled`. */
  readonly calls = new Map<RequestId, Exchange>();
  /** The client's open GET streams. */
  readonly streams = new Set<EventStream>();
  /** Fleets that may hold an instance for this session. */
  readonly fleets = new Set<string>();

  constructor(claims: SessionClaims) {
    this.claims = claims;
  }

  /** Sends a notification on the session's first GET stream; without one it is lost, as the protocol allows. */
  notify(message: string): void {
    for (const stream of this.streams) {
      stream.send(message);
      return;
    }
  }
}
