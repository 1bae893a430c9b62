import { FleetError } from "../../runtime/errors.ts";
import type { Exchange } from "../../runtime/protocol/exchange.ts";
import type { Params, RpcReply } from "../../runtime/protocol/json-rpc.ts";
import type { Connector, SessionEvents, UpstreamSession } from "../../runtime/upstreams/upstream-session.ts";

/** A session whose calls the test answers. */
export class FakeSession implements UpstreamSession {
  readonly description = {
    protocolVersion: "2025-11-25",
    modern: false,
    capabilities: { tools: {} },
    serverInfo: { name: "fake", version: "1.0.0" },
  };
  readonly ended: Promise<string>;
  readonly events: SessionEvents;
  readonly calls: {
    method: string;
    params: Params | undefined;
    resolve: (reply: RpcReply) => void;
    reject: (error: Error) => void;
  }[] = [];
  readonly notified: string[] = [];
  closed = false;
  #end: (reason: string) => void = () => {};

  constructor(events: SessionEvents) {
    this.events = events;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  request(method: string, params: Params | undefined, _exchange: Exchange): Promise<RpcReply> {
    return new Promise((resolve, reject) => this.calls.push({ method, params, resolve, reject }));
  }

  notify(method: string): void {
    this.notified.push(method);
  }

  /** The server dies: calls in flight fail. */
  die(reason: string): void {
    for (const { reject } of this.calls) reject(new FleetError("INSTANCE_LOST", reason));
    this.#end(reason);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#end("closed");
  }
}

/** Opens fake sessions at once; fails as often as `failures` says. */
export class FakeConnector implements Connector {
  readonly source = "fake";
  readonly sessions: FakeSession[] = [];
  failures = 0;
  /** Sessions open when this has resolved. */
  starting: Promise<void> | undefined;

  async connect(events: SessionEvents): Promise<UpstreamSession> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new FleetError("INSTANCE_START_FAILED", "the fake did not start");
    }
    await this.starting;
    const session = new FakeSession(events);
    this.sessions.push(session);
    return session;
  }

  async close(): Promise<void> {}
}

/** Lets everything that is due run. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
