import { once } from "node:events";
import { connect } from "node:net";
import { encodeNotification } from "../protocol/json-rpc.ts";
import type { DuplexLink, Receive } from "../upstreams/duplex-connector.ts";
import { LineReader } from "../upstreams/line-reader.ts";
import { LineWriter } from "../upstreams/line-writer.ts";
import { readInTurns } from "../upstreams/read-in-turns.ts";

/** Says on a link whose process it is from now on. */
export const leasedMethod = "notifications/mcp-fleet/leased";
/** Says on a link that its process is not needed any more; a link that only breaks says nothing, and the process waits. */
export const releasedMethod = "notifications/mcp-fleet/released";

/** Begins each message of ours on a link; those that are relayed for clients have an id, or another method. */
const ours = '{"jsonrpc":"2.0","method":"notifications/mcp-fleet/';

/** The method of a message that is the link's own; undefined for one that is relayed, whatever stands in it. */
export function ownMethod(line: string): string | undefined {
  if (!line.startsWith(ours)) return undefined;
  return [leasedMethod, releasedMethod].find((method) => line.startsWith(`"${method}"`, ours.lastIndexOf('"')));
}

/** A worker's way to the processes that the supervisor runs: one link for each session with a server. */
export class ProcessLinks {
  readonly #socket: string;
  #leaving = false;

  /** `socket` is the supervisor's. */
  constructor(socket: string) {
    this.#socket = socket;
  }

  /** From now on links end without giving their processes back: another worker goes on with them. */
  leave(): void {
    this.#leaving = true;
  }

  /** Opens a link to a server. */
  async open(server: string, receive: Receive): Promise<DuplexLink> {
    const socket = connect(this.#socket);
    await once(socket, "connect");
    let reason = "the link to the supervisor was closed";
    const lines = new LineWriter(socket, (error) => {
      reason = error.message;
    });
    const abort = async (why?: string) => {
      if (why !== undefined) reason = why;
      socket.destroy();
    };
    const reader = new LineReader(receive, (problem) => void abort(problem));
    const flow = readInTurns(socket, (chunk) => reader.push(chunk));
    const ended = new Promise<string>((resolve) => {
      socket.on("close", () => {
        reader.close();
        resolve(reason);
      });
    });
    lines.send(JSON.stringify({ server }));
    return {
      get waiting() {
        return lines.waiting;
      },
      pause: () => flow.pause(),
      resume: () => flow.resume(),
      ended,
      send: (message, onSent) => lines.send(message, onSent),
      leased: (owner) => lines.send(encodeNotification(leasedMethod, { owner })),
      close: async () => {
        if (!this.#leaving) lines.send(encodeNotification(releasedMethod));
        lines.flush();
        socket.end();
        await ended;
      },
      abort,
    };
  }
}
