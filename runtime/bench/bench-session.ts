import { FleetError, messageOf } from "../errors.ts";
import { identity } from "../version.ts";
import { Connection, headerOf, type RawResponse } from "./connection.ts";
import type { CallSpec, Target } from "./target.ts";

/** The session era's revision that every server of today speaks. */
const revision = "2025-06-18";
const filler = "abcdefghijklmnopqrstuvwxyz0123456789";

/** One MCP session on one connection, which calls a tool again and again and checks every answer. */
export class BenchSession {
  readonly #target: Target;
  readonly #connection: Connection;
  readonly #head: string;
  /** Everything up to the length of the body, with the session's id once there is one. */
  #prefix: string;
  #lastId = 0;

  constructor(target: Target, timeoutMs: number) {
    const url = new URL(target.url);
    this.#target = target;
    this.#connection = new Connection(url, timeoutMs);
    const own = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#head = `${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n${own.join("")}`;
    this.#prefix = this.#post("");
  }

  /** Opens the session. Rejects with GATEWAY_UNREACHABLE, in words for the person at the terminal. */
  async open(): Promise<void> {
    const clientInfo = { name: `${identity.name}-bench`, version: identity.version };
    const params = { protocolVersion: revision, capabilities: {}, clientInfo };
    const opened = await this.#ask("initialize", params);
    const result = resultOf(opened);
    if (result === undefined) throw this.#refused("initialize", opened);
    const id = headerOf(opened.head, "mcp-session-id");
    const negotiated = typeof result.protocolVersion === "string" ? result.protocolVersion : revision;
    const session = id === undefined ? "" : `Mcp-Session-Id: ${id}\r\n`;
    this.#prefix = this.#post(`MCP-Protocol-Version: ${negotiated}\r\n${session}`);
    const told = await this.#send('{"jsonrpc":"2.0","method":"notifications/initialized"}').catch((error) =>
      Promise.reject(this.#unreachable(error)),
    );
    if (told.status >= 300) throw this.#refused("notifications/initialized", told);
  }

  /** Names and input schemas of the tools on the first page. */
  async tools(): Promise<readonly { readonly name: string; readonly inputSchema?: Record<string, unknown> }[]> {
    const listed = await this.#ask("tools/list", {});
    const result = resultOf(listed);
    if (result === undefined) throw this.#refused("tools/list", listed);
    return result.tools as { name: string }[];
  }

  /** One answer in full, to see what the tool says. */
  async probe(spec: CallSpec, text: string): Promise<RawResponse> {
    const [before, after] = spec.params.split("{text}") as [string, string];
    return this.#send(this.#body(before, after, text)).catch((error) => Promise.reject(this.#unreachable(error)));
  }

  /** Calls once with a text of its own. Resolves with what was wrong with the answer; undefined when it was right. */
  async call(spec: CallSpec, before: string, after: string, label: string): Promise<string | undefined> {
    const text = `${label}-${this.#lastId}-${filler}`;
    let response: RawResponse;
    try {
      response = await this.#send(this.#body(before, after, text));
    } catch (error) {
      return `connection: ${messageOf(error)}`;
    }
    return wrongIn(response, this.#lastId, text, spec);
  }

  /** Ends the session politely; what the server says to that does not matter. */
  async close(): Promise<void> {
    const bytes = `DELETE ${this.#prefix.slice("POST ".length)}0\r\n\r\n`;
    await this.#connection.request(bytes).catch(() => {});
    this.#connection.close();
  }

  /** Leaves without a word, as a client that crashes does. */
  abandon(): void {
    this.#connection.close();
  }

  #post(more: string): string {
    const accept = "Accept: application/json, text/event-stream\r\n";
    return `POST ${this.#head}Content-Type: application/json\r\n${accept}${more}Content-Length: `;
  }

  #body(before: string, after: string, text: string): string {
    this.#lastId += 1;
    return `{"jsonrpc":"2.0","id":${this.#lastId},"method":"tools/call","params":${before}${text}${after}}`;
  }

  async #ask(method: string, params: unknown): Promise<RawResponse> {
    this.#lastId += 1;
    const body = JSON.stringify({ jsonrpc: "2.0", id: this.#lastId, method, params });
    return this.#send(body).catch((error) => Promise.reject(this.#unreachable(error)));
  }

  #send(body: string): Promise<RawResponse> {
    const latin1 = Buffer.byteLength(body) === body.length ? body : Buffer.from(body).toString("latin1");
    return this.#connection.request(`${this.#prefix}${latin1.length}\r\n\r\n${latin1}`);
  }

  #unreachable(error: unknown): FleetError {
    const fix = "start what listens there, or correct the URL";
    const text = `${this.#target.url} cannot be reached (${messageOf(error)}); ${fix}`;
    return new FleetError("GATEWAY_UNREACHABLE", text, { cause: error });
  }

  #refused(method: string, { status, body }: RawResponse): FleetError {
    const { url } = this.#target;
    if (status === 401 || status === 403) {
      const fix = "give a token with --header 'Authorization: Bearer <token>'";
      return new FleetError("GATEWAY_UNREACHABLE", `${url} refused ${method} with ${status}; ${fix}`);
    }
    const said = body.slice(0, 200);
    const fix = "is that the URL of an MCP server over Streamable HTTP?";
    return new FleetError("GATEWAY_UNREACHABLE", `${url} answered ${method} with ${status} ${said}; ${fix}`);
  }
}

/** The result of a reply, as JSON or as the last message of an event stream. */
export function resultOf({ status, head, body }: RawResponse): Record<string, unknown> | undefined {
  if (status !== 200) return undefined;
  const stream = headerOf(head, "content-type")?.startsWith("text/event-stream");
  const lines = stream ? body.split("\n").filter((line) => line.startsWith("data:")) : [];
  const text = stream ? lines.findLast((line) => line.includes('"id"'))?.slice("data:".length) : body;
  try {
    return JSON.parse(Buffer.from(text ?? "", "latin1").toString()).result;
  } catch {
    return undefined;
  }
}

/** Why an answer is not the one to this call; undefined when it is. */
export function wrongIn(response: RawResponse, id: number, text: string, spec: CallSpec): string | undefined {
  const { status, body } = response;
  if (status !== 200) return `HTTP status ${status}`;
  if (body.includes('"error":')) return `JSON-RPC error ${/"code":\s*(-?\d+)/.exec(body)?.[1]}`;
  if (body.includes('"isError":true') || body.includes('"isError": true')) return "the tool failed";
  if (!answers(body, id)) return "another id";
  if (spec.echoes && !body.includes(text)) return "another text";
  if (body.length < (spec.minBytes ?? 0)) return `only ${body.length} bytes`;
  const events = spec.events === undefined ? undefined : body.split('"notifications/progress"').length - 1;
  return events === spec.events ? undefined : `${events} events instead of ${spec.events}`;
}

function answers(body: string, id: number): boolean {
  let at = body.indexOf(`"id":${id}`);
  let length = 5 + String(id).length;
  if (at < 0) {
    at = body.indexOf(`"id": ${id}`);
    length += 1;
  }
  const next = body[at + length];
  return at >= 0 && (next === "," || next === "}" || next === " " || next === "\n");
}
