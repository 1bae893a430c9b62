import type { Dispatcher, Pool } from "undici";
import { traitsOf } from "./faults.ts";
import type { Call } from "./plan.ts";

/** What became of a call: a result, an error of the protocol, an HTTP status, or that its caller left. */
export type Outcome = string;

/** Tells of what must not happen. */
export type Note = (problem: string, cause: unknown) => void;

const key = "io.modelcontextprotocol";
const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
const envelope = {
  [`${key}/protocolVersion`]: "2026-07-28",
  [`${key}/clientCapabilities`]: capabilities,
  [`${key}/logLevel`]: "debug",
};
const media = { "content-type": "application/json", accept: "application/json, text/event-stream" };

interface Answered {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData["headers"];
  readonly text: string;
}

/** A reply as far as a caller reads it. */
interface Reply {
  readonly id?: unknown;
  readonly method?: string;
  readonly result?: { readonly resultType?: string; readonly requestState?: string; readonly inputRequests?: object };
  readonly error?: { readonly code: number; readonly data?: { readonly code?: string } };
}

export interface CallerOptions {
  readonly name: "alice" | "bob";
  /** Whose words must never arrive. */
  readonly other: string;
  readonly pool: Pool;
  /** A call takes no longer, waiting included. */
  readonly deadlineMs: number;
  readonly note: Note;
}

/** One of the two callers: puts words of its own into each call and looks at each byte that comes back. */
export class Caller {
  readonly #options: CallerOptions;
  readonly #headers: Record<string, string>;
  readonly #sessions = new Map<string, Promise<string>>();
  readonly #streams: AbortController[] = [];
  #calls = 0;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.#headers = { authorization: `Bearer token-of-${options.name}`, ...media };
  }

  /** Resolves when the call has ended, whatever became of it. */
  async call(call: Call): Promise<Outcome> {
    const { deadlineMs, note, name } = this.#options;
    const left = new AbortController();
    const began = performance.now();
    const timer = setTimeout(() => left.abort(), deadlineMs);
    const { unanswered = false } = traitsOf(call.fault);
    const progress = { step: "the session" };
    try {
      this.#calls += 1;
      const canary = `canary-of-${name}-${this.#calls}`;
      const args = { fault: call.fault, canary, ...(call.later === undefined ? {} : { later: call.later }) };
      return await this.#byDoor(call, args, left.signal, progress);
    } catch (error) {
      // A question that its caller leaves open keeps the call: the caller leaves instead.
      if (left.signal.aborted && unanswered) return "left";
      const took = Math.round(performance.now() - began);
      const what = left.signal.aborted ? `had not ended after ${took} ms` : `broke: ${String(error)}`;
      note(`a call ${what}, waiting for ${progress.step}`, call);
      return "broken";
    } finally {
      clearTimeout(timer);
    }
  }

  /** Leaves its sessions as many clients do: the streams end, nothing is deleted. */
  leave(): void {
    for (const stream of this.#streams.splice(0)) stream.abort();
    this.#sessions.clear();
  }

  async #byDoor(
    { target, door, fault }: Call,
    args: object,
    signal: AbortSignal,
    progress: { step: string },
  ): Promise<Outcome> {
    const federated = door.endsWith("federated");
    const path = federated ? "/mcp" : `/mcp/${target.name}`;
    const params = { name: federated ? `${target.name}__play` : "play", arguments: args };
    const answers = !(traitsOf(fault).unanswered ?? false);
    if (door === "rest") {
      const { status, text } = await this.#post(`/api/v1/servers/${target.name}/tools/play`, {}, args, signal);
      return outcomeOf(status, text, undefined);
    }
    if (door.startsWith("stateless")) return this.#stateless(path, params, answers, signal);
    const session = await this.#session(path, signal);
    progress.step = "the answer";
    const headers = { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" };
    const id = this.#calls;
    const request = { jsonrpc: "2.0", id, method: "tools/call", params: { ...params, _meta: { progressToken: id } } };
    const { status, text } = await this.#post(path, headers, request, signal, (message) => {
      if (answers) this.#answer(path, headers, message);
    });
    if (status === 404) this.#sessions.delete(path);
    return outcomeOf(status, text, id);
  }

  async #stateless(path: string, params: object, answers: boolean, signal: AbortSignal): Promise<Outcome> {
    const id = this.#calls;
    let more = {};
    for (let asked = 0; asked < 25; asked += 1) {
      const sent = { ...params, ...more, _meta: { ...envelope, progressToken: id } };
      const headers = {
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": (params as { name: string }).name,
      };
      const request = { jsonrpc: "2.0", id, method: "tools/call", params: sent };
      const { status, text } = await this.#post(path, headers, request, signal);
      const { result } = messagesIn(text).findLast((message) => message.id === id) ?? {};
      if (result?.resultType !== "input_required" || !answers) return outcomeOf(status, text, id);
      const keys = Object.keys(result.inputRequests ?? {});
      const inputResponses = Object.fromEntries(keys.map((asked) => [asked, this.#words()]));
      more = { inputResponses, ...(result.requestState === undefined ? {} : { requestState: result.requestState }) };
    }
    return "asked without end";
  }

  /** A session of that path, with its GET stream. */
  #session(path: string, signal: AbortSignal): Promise<string> {
    let session = this.#sessions.get(path);
    if (session === undefined) {
      session = this.#open(path, signal);
      session.catch(() => this.#sessions.delete(path));
      this.#sessions.set(path, session);
    }
    return session;
  }

  async #open(path: string, signal: AbortSignal): Promise<string> {
    const clientInfo = { name: this.#options.name, version: "1" };
    const params = { protocolVersion: "2025-11-25", capabilities, clientInfo };
    const { headers, status, text } = await this.#post(
      path,
      {},
      { jsonrpc: "2.0", id: 0, method: "initialize", params },
      signal,
    );
    const session = headers["mcp-session-id"];
    if (typeof session !== "string") return Promise.reject(new Refused(outcomeOf(status, text, 0)));
    const more = { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" };
    const stream = new AbortController();
    this.#streams.push(stream);
    void this.#request("GET", path, more, undefined, stream.signal, (message) =>
      this.#answer(path, more, message),
    ).catch(() => {});
    return session;
  }

  /** Answers a question of the server with words of its own. */
  #answer(path: string, headers: Record<string, string>, { id, method }: Reply): void {
    if (id === undefined || method === undefined) return;
    const body = { jsonrpc: "2.0", id, result: method === "ping" ? {} : this.#words() };
    void this.#post(path, headers, body, AbortSignal.timeout(this.#options.deadlineMs)).catch(() => {});
  }

  #words(): object {
    return { action: "accept", content: { word: `canary-of-${this.#options.name}-answer` } };
  }

  #post(
    path: string,
    headers: Record<string, string>,
    body: object,
    signal: AbortSignal,
    onMessage?: (message: Reply) => void,
  ): Promise<Answered> {
    return this.#request("POST", path, headers, JSON.stringify(body), signal, onMessage);
  }

  async #request(
    method: "POST" | "GET",
    path: string,
    more: Record<string, string>,
    body: string | undefined,
    signal: AbortSignal,
    onMessage: (message: Reply) => void = () => {},
  ): Promise<Answered> {
    const { pool } = this.#options;
    const sent = { method, path, headers: { ...this.#headers, ...more }, ...(body === undefined ? {} : { body }) };
    const answer = await pool.request({ ...sent, signal });
    this.#see(JSON.stringify(answer.headers), path);
    let text = "";
    let read = 0;
    answer.body.setEncoding("utf8");
    for await (const piece of answer.body) {
      text += piece;
      for (let end = text.indexOf("\n\n", read); end >= 0; end = text.indexOf("\n\n", read)) {
        for (const message of messagesIn(text.slice(read, end))) onMessage(message);
        read = end + 2;
      }
      if (body === undefined) {
        this.#see(text, path);
        text = text.slice(read);
        read = 0;
      }
    }
    this.#see(text, path);
    return { status: answer.statusCode, headers: answer.headers, text };
  }

  #see(text: string, path: string): void {
    const { name, other, note } = this.#options;
    const at = text.indexOf(other);
    if (at >= 0)
      note(`${name} reads words of the other caller`, { path, text: text.slice(Math.max(0, at - 300), at + 60) });
    if (text.includes("Internal error")) note(`${name} gets an unexpected error`, { path, text: text.slice(0, 400) });
  }
}

/** The gateway has refused to open a session. */
class Refused extends Error {}

/** The messages in an event stream, or the one in a body. */
function messagesIn(text: string): Reply[] {
  const found: Reply[] = [];
  const pieces = text.startsWith("{") ? [text] : text.split("\n").filter((line) => line.startsWith("data: {"));
  for (const piece of pieces) {
    try {
      found.push(JSON.parse(piece.replace(/^data: /, "")));
    } catch {
      // A message of which only a part has come.
    }
  }
  return found;
}

function outcomeOf(status: number, text: string, id: unknown): Outcome {
  const reply = messagesIn(text).findLast(
    (message) => message.method === undefined && (id === undefined || message.id === id),
  );
  if (reply?.error !== undefined) return reply.error.data?.code ?? String(reply.error.code);
  return reply?.result !== undefined ? "result" : `HTTP ${status}`;
}
