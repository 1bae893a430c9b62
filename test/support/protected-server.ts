import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { createRemoteJWKSet, jwtVerify } from "jose";
import type { RpcRequest } from "../../runtime/protocol/json-rpc.ts";

/** Who may call, by the request's headers; or why not. */
export type Admission = { readonly who: string } | { readonly status: 401 | 403; readonly challenge?: string };

/** A small MCP server that lets in only whom its `admit` knows, and says whom it saw. */
export class ProtectedServer {
  readonly url: string;
  /** Every `Authorization` and `X-Api-Key` that came, oldest first. */
  readonly seen: string[] = [];
  /** Opened sessions and who opened each. */
  readonly sessions = new Map<string, string>();
  /** Decides about each request; `method` is that of JSON-RPC, `GET` or `DELETE`. */
  admit: (request: IncomingMessage, method: string) => Promise<Admission>;
  /** Of the stateless era instead of the session era. */
  modern = false;
  /** Served at `/.well-known/oauth-protected-resource/mcp` (RFC 9728). */
  metadata: object | undefined;
  readonly #http: Server;

  private constructor(http: Server, admit: ProtectedServer["admit"]) {
    this.#http = http;
    this.admit = admit;
    this.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
    http.on("request", (request, response) => void this.#serve(request, response));
  }

  static async start(admit: ProtectedServer["admit"]): Promise<ProtectedServer> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    return new ProtectedServer(http, admit);
  }

  /** Admits who has an access token of the issuer for this server; the tool `write` wants the scope of that name. */
  static async withTokensOf(issuer: string): Promise<ProtectedServer> {
    const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
    const server = await ProtectedServer.start(async (request, method) => {
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
      const resource = `resource_metadata="${new URL("/.well-known/oauth-protected-resource/mcp", server.url).href}"`;
      const found = await jwtVerify(token, keys, { issuer, audience: server.url }).catch(() => undefined);
      if (found === undefined || server.revoked.has(token)) {
        return { status: 401, challenge: `Bearer error="invalid_token", scope="read", ${resource}` };
      }
      const { sub, scope } = found.payload;
      if (method !== "write" || String(scope).split(" ").includes("write")) return { who: `${sub} for ${scope}` };
      return { status: 403, challenge: `Bearer error="insufficient_scope", scope="write", ${resource}` };
    });
    server.metadata = { resource: server.url, authorization_servers: [issuer], scopes_supported: ["read"] };
    return server;
  }

  /** Tokens that are refused from now on. */
  readonly revoked = new Set<string>();

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    if (request.url?.startsWith("/.well-known/oauth-protected-resource")) {
      if (this.metadata === undefined) response.writeHead(404).end();
      else answer(200, this.metadata);
      return;
    }
    const body = request.method === "POST" ? ((await json(request)) as RpcRequest) : undefined;
    const { authorization, "x-api-key": key } = request.headers;
    this.seen.push(String(authorization ?? key ?? ""));
    const tool = body?.method === "tools/call" ? String(body.params?.name) : undefined;
    const admission = await this.admit(request, tool ?? body?.method ?? String(request.method));
    if ("status" in admission) {
      const { status, challenge } = admission;
      answer(status, { error: "refused" }, challenge === undefined ? {} : { "www-authenticate": challenge });
      return;
    }
    const session = request.headers["mcp-session-id"];
    if (body === undefined || body.id === undefined) {
      response.writeHead(request.method === "GET" ? 405 : 202).end();
      return;
    }
    if (this.modern && body.method === "server/discover") {
      const result = { resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: { tools: {} } };
      answer(200, { jsonrpc: "2.0", id: body.id, result });
      return;
    }
    const owner = admission.who.split(" ")[0] as string;
    if (body.method === "initialize") {
      const id = randomUUID();
      this.sessions.set(id, owner);
      const serverInfo = { name: "protected", version: "1" };
      const result = { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo };
      answer(200, { jsonrpc: "2.0", id: body.id, result }, { "mcp-session-id": id });
      return;
    }
    if (!this.modern && this.sessions.get(String(session)) !== owner) {
      answer(404, { error: "no session of yours" });
      return;
    }
    const content = [{ type: "text", text: JSON.stringify(admission.who) }];
    const tools = ["whoami", "write"].map((name) => ({ name, inputSchema: { type: "object" } }));
    const result = body.method === "tools/list" ? { tools } : tool === undefined ? {} : { content };
    answer(200, { jsonrpc: "2.0", id: body.id, result });
  }
}
