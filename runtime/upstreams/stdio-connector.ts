import { FleetError, messageOf } from "../errors.ts";
import type { ManagedProcess, ProcessDriver, ProcessSpec } from "../orchestrator/process-driver.ts";
import { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { enveloped } from "../protocol/modern.ts";
import { type Era, EraVerdict, eraOf } from "./era-verdict.ts";
import { type GatewayIdentity, initialize } from "./handshake.ts";
import { LineReader } from "./line-reader.ts";
import { LineWriter } from "./line-writer.ts";
import { ModernMultiplexedWire } from "./modern-multiplexed.ts";
import { ModernSession } from "./modern-session.ts";
import { Multiplexer } from "./multiplexer.ts";
import type { Connector, ServerDescription, SessionEvents, UpstreamSession } from "./upstream-session.ts";

export interface StdioConnectorOptions {
  readonly fleet: string;
  readonly source: string;
  readonly identity: GatewayIdentity;
  readonly driver: ProcessDriver;
  /** What to run; may install a package first. */
  readonly spec: () => Promise<ProcessSpec>;
  /** For the handshake after the process has started. */
  readonly connectMs: number;
  readonly now: () => number;
}

/** A process and the way to talk to it, before anything has been said. */
interface Link {
  readonly child: ManagedProcess;
  readonly mux: Multiplexer;
  readonly ended: Promise<string>;
  /** Who takes what the server says unasked. */
  hear: SessionEvents["onNotification"];
}

/** A server that has not answered `server/discover` for so long is of the session era: some answer nothing before `initialize`. */
const longestSilenceMs = 5000;

/** One process per session: MCP over standard streams (basic/transports, stdio). */
export class StdioConnector implements Connector {
  readonly source: string;
  readonly #options: StdioConnectorOptions;
  readonly #verdict: EraVerdict;

  constructor(options: StdioConnectorOptions) {
    this.#options = options;
    this.source = options.source;
    this.#verdict = new EraVerdict(options.now);
  }

  async connect(events: SessionEvents): Promise<UpstreamSession> {
    const { fleet, identity } = this.#options;
    let link = await this.#start(events);
    try {
      const era: Era = this.#verdict.legacy ? { modern: false } : await this.#probe(link);
      // Some servers of the session era end when they hear anything before `initialize`.
      if (!era.modern && link.mux.ended) link = await this.#start(events);
      if (!era.modern) {
        const session = await this.#initialize(link);
        this.#verdict.reached(era);
        return session;
      }
      this.#verdict.reached(era);
      const { child, mux, ended } = link;
      const wire = new ModernMultiplexedWire(mux, ended, () => child.stop());
      link.hear = (method, params) => wire.heard(method, params);
      return new ModernSession(fleet, wire, events, identity, era.discovered);
    } catch (error) {
      await link.child.stop(0);
      const why = error instanceof FleetError && error.code === "INSTANCE_LOST" ? await link.ended : messageOf(error);
      throw new FleetError(
        "INSTANCE_START_FAILED",
        `${fleet}: the server process (${this.source}) did not start: ${why}; run the command by hand to see what it lacks`,
        { cause: error },
      );
    }
  }

  async close(): Promise<void> {}

  async #start(events: SessionEvents): Promise<Link> {
    const { fleet, driver } = this.#options;
    const child = await driver.start(await this.#options.spec());
    // A pipe that breaks belongs to a server that has ended, or wants no more: it is ended either way.
    const lines = new LineWriter(child.stdin, () => void child.stop(0));
    const mux = new Multiplexer({
      name: fleet,
      events: { onNotification: (method, params) => link.hear(method, params) },
      send: (message, onSent) => lines.send(message, onSent),
    });
    const reader = new LineReader(
      (line) => mux.receive(line),
      () => void child.stop(0),
    );
    child.stdout.on("data", (chunk: Buffer) => reader.push(chunk));
    const ended = child.ended.then(({ code, signal, stderr }) => {
      const reason = `${signal === null ? `exit code ${code}` : `signal ${signal}`}${lastWords(stderr)}`;
      // After everybody has heard that the session is over: a call that is sent again must not find it.
      setImmediate(() => mux.end(reason));
      return reason;
    });
    const link: Link = { child, mux, ended, hear: (method, params) => events.onNotification(method, params) };
    return link;
  }

  async #probe({ mux }: Link): Promise<Era> {
    const { identity, connectMs, fleet } = this.#options;
    const params = enveloped(undefined, undefined, { ...identity });
    const exchange = new Exchange(Math.min(longestSilenceMs, connectMs / 2));
    // Silence and a sudden end are answers too.
    const reply = await mux.request("server/discover", params, exchange).catch(() => undefined);
    const era: ReturnType<typeof eraOf> = reply === undefined ? { modern: false } : eraOf(reply);
    if (typeof era === "object") return era;
    throw new FleetError("UPSTREAM_PROTOCOL", `${fleet}: the server knows no revision of MCP that the gateway does`);
  }

  async #initialize({ child, mux, ended }: Link): Promise<UpstreamSession> {
    const { fleet, identity, connectMs } = this.#options;
    const description = await initialize(mux, fleet, identity, connectMs);
    mux.notify("notifications/initialized");
    return new StdioSession(child, mux, description, ended);
  }
}

class StdioSession implements UpstreamSession {
  readonly description: ServerDescription;
  readonly ended: Promise<string>;
  readonly #child: ManagedProcess;
  readonly #mux: Multiplexer;

  constructor(child: ManagedProcess, mux: Multiplexer, description: ServerDescription, ended: Promise<string>) {
    this.#child = child;
    this.#mux = mux;
    this.description = description;
    this.ended = ended;
  }

  request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    return this.#mux.request(method, params, exchange);
  }

  notify(method: string, params?: Params): void {
    this.#mux.notify(method, params);
  }

  close(): Promise<void> {
    return this.#child.stop();
  }
}

function lastWords(stderr: string): string {
  const text = stderr.trim();
  return text === "" ? "" : `, last words: ${text.split("\n").slice(-3).join(" | ")}`;
}
