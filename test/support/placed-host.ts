import { FleetError } from "../../runtime/errors.ts";
import { errorReply, type Params, type RpcReply } from "../../runtime/protocol/json-rpc.ts";
import type { Connector, UpstreamSession } from "../../runtime/upstreams/upstream-session.ts";

const description = {
  protocolVersion: "2025-11-25",
  modern: false,
  capabilities: { tools: {} },
  serverInfo: { name: "fake", version: "1.0.0" },
};

/** A server host without processes: a session takes one of its places with its first call, and is refused when there is none. */
export class PlacedHost implements Connector {
  readonly source: string;
  readonly places: number;
  /** Places that others have taken, who do not come through the fleet. */
  others = 0;
  /** Sessions that have a place. */
  readonly placed = new Set<object>();
  /** Calls that have been answered, or wait to be. */
  calls = 0;
  refusals = 0;
  /** Set by a test that wants calls to stay in flight; answers them. */
  held: (() => void)[] | undefined;

  constructor(source: string, places = Number.POSITIVE_INFINITY) {
    this.source = source;
    this.places = places;
  }

  get free(): number {
    return this.places - this.others - this.placed.size;
  }

  async connect(): Promise<UpstreamSession> {
    const { promise: ended, resolve: end } = Promise.withResolvers<string>();
    const session: UpstreamSession = {
      description,
      ended,
      request: (method) => this.#answer(session, method),
      notify: () => {},
      close: async () => {
        this.placed.delete(session);
        end("closed");
      },
    };
    return session;
  }

  async close(): Promise<void> {}

  async #answer(session: object, method: string): Promise<RpcReply> {
    if (method !== "tools/call") return { result: { tools: [] } satisfies Params };
    if (!this.placed.has(session) && this.free <= 0) {
      this.refusals += 1;
      return errorReply(new FleetError("POOL_EXHAUSTED", "fake: all instances are leased"));
    }
    this.placed.add(session);
    this.calls += 1;
    const { held } = this;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    return { result: { content: [], host: this.source } };
  }
}
