import { performance } from "node:perf_hooks";
import { Agent, fetch as fetchWith } from "undici";
import { messageIn } from "./answer-text.ts";

/** What came of the calls of one load. */
export interface LoadFigures {
  readonly sent: number;
  readonly failed: number;
  readonly worstMs: number;
  /** Messages of the failures, the first few. */
  readonly errors: readonly string[];
}

export interface SteadyLoadOptions {
  /** MCP endpoint of the gateway. */
  readonly url: string;
  readonly callers: number;
  /** Between an answer and the caller's next call. */
  readonly pauseMs: number;
  readonly tool: string;
  /** A call whose connection broke is sent again over a new one, at most twice, as HTTP clients do. Defaults to false. */
  readonly again?: boolean;
}

const keptErrors = 5;
/** A connection for each request. */
const unpooled = new Agent({ pipelining: 0 });

/** One client session over plain HTTP, cheap enough for many of them beside the gateway. */
export class PlainClient {
  readonly #url: string;
  readonly #headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  readonly #again: boolean;
  #lastId = 0;

  private constructor(url: string, again: boolean, headers: Record<string, string>) {
    this.#url = url;
    this.#again = again;
    Object.assign(this.#headers, headers);
  }

  static async open(url: string, again = false, headers: Record<string, string> = {}): Promise<PlainClient> {
    const client = new PlainClient(url, again, headers);
    const clientInfo = { name: "load", version: "1" };
    const response = await client.#post("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
    await response.text();
    client.#headers["mcp-session-id"] = response.headers.get("mcp-session-id") as string;
    client.#headers["mcp-protocol-version"] = "2025-11-25";
    return client;
  }

  /** The text of a tool's answer, parsed. Rejects with the message of an error, or when the client gives up by `signal`. */
  async call(name: string, args: Record<string, unknown> = {}, signal?: AbortSignal): Promise<Record<string, unknown>> {
    const response = await this.#post("tools/call", { name, arguments: args }, signal);
    const body = messageIn(await response.text()) as {
      readonly result?: { readonly content: readonly { readonly text: string }[] };
      readonly error?: { readonly message: string; readonly data?: unknown };
    };
    if (body.result === undefined) throw Object.assign(new Error(body.error?.message), { data: body.error?.data });
    return JSON.parse(body.result.content[0]?.text ?? "null");
  }

  /** The names of the tools that are listed. */
  async tools(): Promise<readonly string[]> {
    const { result } = messageIn(await (await this.#post("tools/list", {})).text()) as {
      result: { tools: { name: string }[] };
    };
    return result.tools.map(({ name }) => name);
  }

  #post(method: string, params: object, signal: AbortSignal | null = null): Promise<Response> {
    this.#lastId += 1;
    const body = JSON.stringify({ jsonrpc: "2.0", id: this.#lastId, method, params });
    const request = { method: "POST", headers: this.#headers, body };
    const sent = fetch(this.#url, { ...request, signal });
    if (!this.#again) return sent;
    const resend = () => fetchWith(this.#url, { ...request, dispatcher: unpooled }) as unknown as Promise<Response>;
    return sent.catch(resend).catch(resend);
  }
}

/** Callers that call one tool over and over, each with distinct arguments, and check every answer. */
export class SteadyLoad {
  readonly #options: SteadyLoadOptions;
  #running = true;
  #sent = 0;
  #failed = 0;
  #worstMs = 0;
  readonly #errors: string[] = [];
  #callers: Promise<unknown> = Promise.resolve();

  private constructor(options: SteadyLoadOptions) {
    this.#options = options;
  }

  static async start(options: SteadyLoadOptions): Promise<SteadyLoad> {
    const load = new SteadyLoad(options);
    const clients = await Promise.all(
      Array.from({ length: options.callers }, () => PlainClient.open(options.url, options.again)),
    );
    load.#callers = Promise.all(clients.map((client) => load.#call(client)));
    return load;
  }

  get figures(): LoadFigures {
    return { sent: this.#sent, failed: this.#failed, worstMs: Math.round(this.#worstMs), errors: this.#errors };
  }

  /** Resolves when so many more calls have been answered. */
  async answered(calls: number): Promise<void> {
    const goal = this.#sent + calls;
    while (this.#sent < goal) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async stop(): Promise<LoadFigures> {
    this.#running = false;
    await this.#callers;
    return this.figures;
  }

  async #call(client: PlainClient): Promise<void> {
    while (this.#running) {
      const n = this.#sent;
      this.#sent += 1;
      const began = performance.now();
      try {
        const answer = await client.call(this.#options.tool, { n });
        if (answer.n !== n) throw new Error(`asked for ${n}, was answered ${answer.n}`);
      } catch (error) {
        this.#failed += 1;
        if (this.#errors.length < keptErrors)
          this.#errors.push(String((error as Error).cause ?? (error as Error).message));
      }
      this.#worstMs = Math.max(this.#worstMs, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, this.#options.pauseMs));
    }
  }
}
