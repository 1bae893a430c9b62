/** A session-era client without an SDK: each answer is the body as it came. */
export class RawClient {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  #lastId = 0;

  private constructor(url: string, headers: Record<string, string>) {
    this.#url = url;
    this.#headers = headers;
  }

  static async open(url: string, headers: Record<string, string> = {}, capabilities: object = {}): Promise<RawClient> {
    const client = new RawClient(url, {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    });
    const clientInfo = { name: "raw", version: "1" };
    const opened = await client.send("initialize", { protocolVersion: "2025-11-25", capabilities, clientInfo });
    client.#headers["mcp-session-id"] = opened.headers.get("mcp-session-id") as string;
    await opened.text();
    return client;
  }

  /** Sends a request; the answer may still be coming. */
  send(method: string, params: object, signal?: AbortSignal): Promise<Response> {
    this.#lastId += 1;
    const body = JSON.stringify({ jsonrpc: "2.0", id: this.#lastId, method, params });
    return fetch(this.#url, { method: "POST", headers: this.#headers, body, ...(signal && { signal }) });
  }

  /** Everything that comes of a call of a tool, as text. */
  async call(name: string, args: object = {}, meta: object = {}): Promise<string> {
    return (await this.send("tools/call", { name, arguments: args, _meta: meta })).text();
  }
}
