import { setTimeout as pause } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Place } from "./fleet.ts";

/** What a visitor meets and does. */
export interface VisitOptions {
  readonly url: string;
  readonly token: string;
  readonly places: readonly Place[];
  /** Numbers from 0 to 1. */
  readonly random: () => number;
  readonly blockSeconds: number;
  readonly pauseMs: number;
  readonly leavesParked: boolean;
  /** An instance that its client does not use for so long ends. */
  readonly leaseIdleMs: number;
  /** Nobody else blocks the server that all share meanwhile. */
  readonly mayBlock: (place: Place) => boolean;
  readonly note: (problem: string) => void;
  readonly took: (kind: string, ms: number) => void;
}

/** How a visitor goes. Only `ended` tells the gateway. */
export type Leaving = "ended" | "left" | "dropped";

/** A call that blocks a server can wait behind another one, and for an instance that starts. */
const patienceMs = 300_000;

/** One client: it comes, works at some servers, and goes. */
export class Visit {
  readonly #options: VisitOptions;
  readonly #client: Client;
  readonly #transport: StreamableHTTPClientTransport;
  /** Servers that have a state for a session: the process that answered last, and when. */
  readonly #pids = new Map<string, { pid: string; at: number }>();
  readonly #legacy: boolean;
  /** All servers at one address, or one address a server. */
  readonly #federated: boolean;

  constructor(options: VisitOptions) {
    const { url, token, places, random } = options;
    this.#options = options;
    this.#legacy = random() < 0.5;
    this.#federated = places.length > 1;
    this.#client = new Client(
      { name: "visitor", version: "1" },
      { capabilities: { elicitation: {} }, versionNegotiation: { mode: this.#legacy ? "legacy" : "auto" } },
    );
    // The user has gone to lunch.
    this.#client.setRequestHandler("elicitation/create", () => new Promise(() => {}));
    const path = this.#federated ? "/mcp" : `/mcp/${places[0]?.name}`;
    this.#transport = new StreamableHTTPClientTransport(new URL(path, url), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    });
  }

  async run(): Promise<Leaving> {
    const { places, random, pauseMs } = this.#options;
    await this.#client.connect(this.#transport);
    await this.#client.listTools();
    for (let steps = 4 + Math.floor(random() * 6); steps > 0; steps -= 1) {
      const place = places[Math.floor(random() * places.length)] as Place;
      if (place.blocks && random() < 0.15 && this.#options.mayBlock(place)) await this.#block(place);
      else if (place.progresses && random() < 0.3) await this.#progress(place);
      else await this.#quick(place);
      await pause(random() * pauseMs);
    }
    return this.#leave();
  }

  /** Half of all go without a word, and half of those in the middle of a call. */
  async #leave(): Promise<Leaving> {
    const { random } = this.#options;
    const ended = random() < 0.5;
    const dropped = !ended && random() < 0.5;
    if (dropped) {
      this.#lastCall().catch(() => {});
      await pause(random() * 2000);
    }
    if (ended) await this.#transport.terminateSession();
    await this.#client.close();
    return ended ? "ended" : dropped ? "dropped" : "left";
  }

  /** One that its client does not wait for: a question, a call that blocks, or whatever there is. */
  #lastCall(): Promise<string> {
    const { places, blockSeconds, leavesParked, mayBlock } = this.#options;
    const asking = places.find(({ asks }) => asks && (this.#legacy || leavesParked));
    if (asking !== undefined) return this.#call(asking, "trigger-elicitation-request", {});
    const blocking = places.find((place) => place.leased && place.blocks && mayBlock(place));
    if (blocking !== undefined) return this.#call(blocking, "block", { seconds: blockSeconds });
    const first = places[0] as Place;
    return this.#call(first, first.known.tool, first.known.arguments);
  }

  async #quick(place: Place): Promise<void> {
    const { tool, arguments: args, answer } = place.known;
    const beside = place.blocks ? "quick, beside a blocking call" : "quick";
    const text = await this.#timed(place.leased ? "quick, leased" : beside, this.#call(place, tool, args));
    if (answer !== undefined && text !== answer) this.#options.note(`${place.name} answered ${text.slice(0, 200)}`);
    if (place.name === "working") this.#samePid(place, text);
  }

  async #block(place: Place): Promise<void> {
    const { blockSeconds } = this.#options;
    const text = await this.#timed("blocking", this.#call(place, "block", { seconds: blockSeconds }));
    if (place.leased) this.#samePid(place, text);
  }

  async #progress(place: Place): Promise<void> {
    let heard = 0;
    const onprogress = () => {
      heard += 1;
    };
    const call =
      place.name === "remote"
        ? this.#call(place, "trigger-long-running-operation", { duration: 2, steps: 4 }, onprogress)
        : this.#call(place, "steps", { count: 4 }, onprogress);
    await this.#timed("with progress", call);
    if (heard !== 4) this.#options.note(`${place.name}: ${heard} of 4 notifications of progress`);
  }

  /** A client of the session era keeps its instance for as long as it is there and uses it now and then. */
  #samePid(place: Place, pid: string): void {
    const now = performance.now();
    const before = this.#pids.get(place.name);
    this.#pids.set(place.name, { pid, at: now });
    const used = before !== undefined && now - before.at < this.#options.leaseIdleMs;
    if (this.#legacy && used && before.pid !== pid) {
      this.#options.note(`${place.name}: the state of a client that is there has gone`);
    }
  }

  async #timed(kind: string, call: Promise<string>): Promise<string> {
    const began = performance.now();
    const text = await call;
    this.#options.took(kind, performance.now() - began);
    return text;
  }

  async #call(place: Place, tool: string, args: Record<string, unknown>, onprogress?: () => void): Promise<string> {
    const name = this.#federated ? `${place.name}__${tool}` : tool;
    const { content } = await this.#client.callTool(
      { name, arguments: args },
      { timeout: patienceMs, ...(onprogress === undefined ? {} : { onprogress }) },
    );
    return (content as { text?: string }[])[0]?.text ?? "";
  }
}
