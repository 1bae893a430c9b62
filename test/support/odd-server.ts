import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket, Server as TcpServer } from "node:net";
import { text } from "node:stream/consumers";
import type { Client } from "@modelcontextprotocol/client";
import type { Server as ServerSettings } from "../../runtime/config/schema/index.ts";
import { TestGateway } from "./gateway.ts";

let gateway: TestGateway | undefined;
let server: Server | TcpServer | undefined;
const sockets = new Set<Socket>();

/** Ends what a test has started. */
export async function endOddServer(): Promise<void> {
  await gateway?.close();
  for (const socket of sockets) socket.destroy();
  server?.close();
  gateway = undefined;
}

/** A message of the gateway. */
export interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: Record<string, unknown>;
}
const results: Record<string, unknown> = {
  initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "odd", version: "1" } },
  "tools/list": { tools: [{ name: "look", inputSchema: { type: "object" } }] },
  "tools/call": { content: [{ type: "text", text: "seen" }] },
  ping: {},
};
/** What a sound server answers. */
export const answerTo = ({ id, method }: Message) =>
  JSON.stringify({
    ...{ jsonrpc: "2.0", id },
    ...(method in results ? { result: results[method] } : { error: { code: -32601, message: "unknown" } }),
  });

/** Where requests go that the test does not answer itself. */
export type Answer = (message: Message, request: IncomingMessage, response: ServerResponse) => boolean | undefined;

/** Methods that the server was asked, and what a test adds. */
export const asked: string[] = [];

/** Starts a server over HTTP that answers soundly what `odd` does not; resolves with its address. */
export async function startHttp(odd: Answer): Promise<string> {
  asked.length = 0;
  const http = createServer(async (request, response) => {
    const body = await text(request);
    const message: Message = body === "" ? { method: String(request.method) } : JSON.parse(body);
    asked.push(message.method);
    if (odd(message, request, response) === true) return;
    if (request.method !== "POST") response.writeHead(405).end();
    else if (message.id === undefined) response.writeHead(202).end();
    else response.writeHead(200, { "content-type": "application/json" }).end(answerTo(message));
  });
  return listen(http);
}

/** Listens on a free port, and resolves with the address. */
export async function listen(one: Server | TcpServer): Promise<string> {
  server = one;
  one.on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(one.address() as AddressInfo).port}`;
}

/** A gateway before the server. */
export async function startGateway(endpoint: string, more: Partial<ServerSettings> = {}): Promise<TestGateway> {
  gateway = await TestGateway.start({
    servers: { odd: { type: "custom", endpoints: [endpoint], isolation: "shared", ...more } },
  });
  return gateway;
}

/** A client of such a gateway. */
export const connect = async (endpoint: string): Promise<Client> => (await startGateway(endpoint)).connect("/mcp/odd");

/** The only tool, and what a sound server answers. */
export const look = { name: "look", arguments: {} };
export const seen = { content: [{ type: "text", text: "seen" }] };
