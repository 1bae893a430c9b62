import { FleetError, messageOf } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { RequestIds } from "../protocol/request-ids.ts";
import { EraProbe } from "./era-probe.ts";
import { type Era, EraVerdict } from "./era-verdict.ts";
import { type GatewayIdentity, initialize } from "./handshake.ts";
import { ModernMultiplexedWire } from "./modern-multiplexed.ts";
import { ModernSession } from "./modern-session.ts";
import { Multiplexer } from "./multiplexer.ts";
import type { Connector, EndReason, ServerDescription, SessionEvents, UpstreamSession } from "./upstream-session.ts";

/** A connection to one instance that carries whole messages both ways: standard streams, WebSocket, TCP, HTTP+SSE. */
export interface DuplexLink {
  /** Process id, when the instance is a local process. */
  readonly pid?: number;
  /** Bytes, or nearly, that were handed over and have not gone out. */
  readonly waiting: number;
  /** Stops and goes on reading what the other side says. */
  pause(): void;
  resume(): void;
  /** Hands over one message; `onSent` is called when it has gone out. */
  send(message: string, onSent?: () => void): void;
  /** Tells the other side whose the link is from now on, where it must know. */
  leased?(owner: string): void;
  /** Resolves with the reason when the link can carry no more. */
  readonly ended: Promise<EndReason>;
  /** Lets the server end in its own time. */
  close(): Promise<void>;
  /** Ends at once, with a reason if there is one to tell. */
  abort(reason?: string): Promise<void>;
}

/** Takes each message of a server; `garbled`: it is no UTF-8, and this is what can be read of it. */
export type Receive = (message: string, garbled?: boolean) => void;

export interface DuplexConnectorOptions {
  readonly fleet: string;
  /** Where instances come from, for people. */
  readonly source: string;
  readonly identity: GatewayIdentity;
  /** For the handshake. */
  readonly connectMs: number;
  /** It is known to be of the session era: nothing is probed. Defaults to false. */
  readonly sessionEra?: boolean;
  readonly now: () => number;
  readonly open: (receive: Receive) => Promise<DuplexLink>;
  /** The error for an instance that could not be opened. */
  readonly failure: (why: string, cause: unknown) => FleetError;
}

/** A link and what is said on it, before the era is known. */
interface Dialogue {
  readonly link: DuplexLink;
  readonly mux: Multiplexer;
  /** Who takes what the server says unasked. */
  hear: SessionEvents["onNotification"];
}

/** Sessions of either era over full-duplex links, one link each. */
export class DuplexConnector implements Connector {
  readonly source: string;
  readonly #options: DuplexConnectorOptions;
  readonly #verdict: EraVerdict;
  /** Of all its links: what one server sends on the wrong link names no request there. */
  readonly #ids = new RequestIds();

  constructor(options: DuplexConnectorOptions) {
    this.#options = options;
    this.source = options.source;
    this.#verdict = new EraVerdict(options.now);
  }

  async connect(events: SessionEvents): Promise<UpstreamSession> {
    let dialogue = await this.#begin(events);
    const { fleet, identity, connectMs, sessionEra } = this.#options;
    const known = sessionEra || this.#verdict.legacy;
    const probe = known ? undefined : new EraProbe(dialogue.mux, fleet, identity, connectMs);
    try {
      const era = await probe?.verdict();
      // Some servers of the session era end when they hear anything before `initialize`.
      if (era?.modern !== true && dialogue.mux.ended) dialogue = await this.#begin(events);
      const session = await (era?.modern === true
        ? this.#modern(dialogue, era, events)
        : this.#ofSessionEra(dialogue, probe, events));
      this.#verdict.reached(session.description);
      return session;
    } catch (error) {
      const { link } = dialogue;
      await link.abort();
      const why =
        error instanceof FleetError && error.code === "INSTANCE_LOST" ? messageOf(await link.ended) : messageOf(error);
      throw this.#options.failure(why, error);
    } finally {
      probe?.end();
    }
  }

  async close(): Promise<void> {}

  async #begin(events: SessionEvents): Promise<Dialogue> {
    const { fleet, open } = this.#options;
    const mux: Multiplexer = new Multiplexer({
      name: fleet,
      events: {
        onNotification: (method, params) => dialogue.hear(method, params),
        heard: () => events.heard?.(),
      },
      ids: this.#ids,
      send: (message, onSent) => link.send(message, onSent),
      unsent: () => link.waiting,
      flow: { pause: () => link.pause(), resume: () => link.resume() },
      fail: (reason) => void link.abort(reason),
    });
    const link = await open((message, garbled) => (garbled ? mux.garbled(message) : mux.receive(message)));
    const dialogue: Dialogue = { link, mux, hear: (method, params) => events.onNotification(method, params) };
    // After everybody has heard that the session is over: a call that is sent again must not find it.
    void link.ended.then((reason) => setImmediate(() => mux.end(reason)));
    return dialogue;
  }

  /** A session of the session era, unless the server says only now that it is of the other one. */
  async #ofSessionEra(
    dialogue: Dialogue,
    probe: EraProbe | undefined,
    events: SessionEvents,
  ): Promise<UpstreamSession> {
    try {
      return await this.#initialize(dialogue, events);
    } catch (error) {
      const late = await probe?.late();
      if (late?.modern !== true) throw error;
      return this.#modern(dialogue, late, events);
    }
  }

  #modern(dialogue: Dialogue, era: Era & { modern: true }, events: SessionEvents): UpstreamSession {
    const { fleet, identity, now } = this.#options;
    const { link, mux } = dialogue;
    const wire = new ModernMultiplexedWire(mux, link.ended, () => link.close());
    dialogue.hear = (method, params) => wire.heard(method, params);
    return new ModernSession(fleet, wire, events, identity, era.discovered, now);
  }

  async #initialize({ link, mux }: Dialogue, { elsewhere }: SessionEvents): Promise<UpstreamSession> {
    const { fleet, identity, connectMs } = this.#options;
    const description = await initialize(mux, fleet, identity, connectMs, elsewhere);
    mux.notify("notifications/initialized");
    return new DuplexSession(link, mux, description);
  }
}

/** A session of the session era on its own link. */
class DuplexSession implements UpstreamSession {
  readonly description: ServerDescription;
  readonly pid: number | undefined;
  readonly ended: Promise<EndReason>;
  readonly #link: DuplexLink;
  readonly #mux: Multiplexer;

  constructor(link: DuplexLink, mux: Multiplexer, description: ServerDescription) {
    this.#link = link;
    this.pid = link.pid;
    this.#mux = mux;
    this.description = description;
    this.ended = link.ended;
  }

  request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    return this.#mux.request(method, params, exchange);
  }

  notify(method: string, params?: Params): void {
    this.#mux.notify(method, params);
  }

  leased(owner: string): void {
    this.#link.leased?.(owner);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
