import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

/** What became of the calls of some load. */
export interface LoadResult {
  readonly calls: number;
  /** What failed, in words. */
  readonly failures: readonly string[];
  /** Sessions that went on from the first call to the last. */
  readonly sessions: number;
}

/** Clients of the session era that call one after the other, each in its one session, until they are told to stop. */
export class Load {
  readonly #clients: Client[] = [];
  readonly #ids: (string | undefined)[] = [];
  readonly #failures: string[] = [];
  readonly #work: Promise<void>[] = [];
  #calls = 0;
  #pauseMs: number;
  #stopped: Promise<LoadResult> | undefined;

  private constructor(pauseMs: number) {
    this.#pauseMs = pauseMs;
  }

  static async start(
    url: string,
    {
      clients,
      pauseMs,
      call,
      headers,
    }: { clients: number; pauseMs: number; call: Call; headers: Record<string, string> },
  ): Promise<Load> {
    const load = new Load(pauseMs);
    for (let index = 0; index < clients; index += 1) {
      const client = new Client({ name: "load", version: "1.0.0" });
      const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
      await client.connect(transport);
      load.#clients.push(client);
      load.#ids.push(transport.sessionId);
      load.#work.push(load.#loop(client, call));
    }
    return load;
  }

  /** Between two calls of one client. */
  pause(ms: number): void {
    this.#pauseMs = ms;
  }

  /** A clean-up can call it again; the result is the same. */
  stop(): Promise<LoadResult> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<LoadResult> {
    await Promise.all(this.#work);
    const kept = this.#clients.filter(
      ({ transport }, index) => (transport as StreamableHTTPClientTransport).sessionId === this.#ids[index],
    );
    await Promise.all(this.#clients.map((client) => client.close()));
    return { calls: this.#calls, failures: this.#failures, sessions: kept.length };
  }

  async #loop(client: Client, call: Call): Promise<void> {
    while (this.#stopped === undefined) {
      this.#calls += 1;
      try {
        const result = await client.callTool(call);
        if (result.isError === true) this.#failures.push(JSON.stringify(result.content));
      } catch (error) {
        const { cause } = error as Error;
        const why = cause === undefined ? "" : ` (${(cause as NodeJS.ErrnoException).code}: ${cause})`;
        this.#failures.push(`${new Date().toISOString()} ${error}${why}`);
      }
      await sleep(this.#pauseMs);
    }
  }
}

/** One tool call. */
export interface Call {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}
