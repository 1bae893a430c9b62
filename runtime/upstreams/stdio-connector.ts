import type { Writable } from "node:stream";
import { FleetError, messageOf } from "../errors.ts";
import type { ManagedProcess, ProcessDriver, ProcessSpec } from "../orchestrator/process-driver.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { type GatewayIdentity, initialize } from "./handshake.ts";
import { LineReader } from "./line-reader.ts";
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
}

/** One process per session: MCP over standard streams (basic/transports, stdio). */
export class StdioConnector implements Connector {
  readonly source: string;
  readonly #options: StdioConnectorOptions;

  constructor(options: StdioConnectorOptions) {
    this.#options = options;
    this.source = options.source;
  }

  async connect(events: SessionEvents): Promise<UpstreamSession> {
    const { fleet, driver, identity, connectMs } = this.#options;
    const child = await driver.start(await this.#options.spec());
    // A pipe that breaks belongs to a server that has ended, or wants no more: it is ended either way.
    const lines = new LineWriter(child.stdin, () => void child.stop(0));
    const mux = new Multiplexer({ name: fleet, events, send: (message, onSent) => lines.send(message, onSent) });
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
    try {
      const description = await initialize(mux, fleet, identity, connectMs);
      mux.notify("notifications/initialized");
      return new StdioSession(child, mux, description, ended);
    } catch (error) {
      await child.stop(0);
      const why = error instanceof FleetError && error.code === "INSTANCE_LOST" ? await ended : messageOf(error);
      throw new FleetError(
        "INSTANCE_START_FAILED",
        `${fleet}: the server process (${this.source}) did not start: ${why}; run the command by hand to see what it lacks`,
        { cause: error },
      );
    }
  }

  async close(): Promise<void> {}
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

/** Gathers the messages of one turn of the event loop into one write: system calls cost more than the JSON. */
class LineWriter {
  readonly #stream: Writable;
  #corked = false;

  constructor(stream: Writable, onBroken: () => void) {
    this.#stream = stream;
    stream.on("error", onBroken);
  }

  send(message: string, onSent?: () => void): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#stream.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#stream.uncork();
      });
    }
    this.#stream.write(`${message}\n`, (error) => {
      if (error === null || error === undefined) onSent?.();
    });
  }
}

function lastWords(stderr: string): string {
  const text = stderr.trim();
  return text === "" ? "" : `, last words: ${text.split("\n").slice(-3).join(" | ")}`;
}
