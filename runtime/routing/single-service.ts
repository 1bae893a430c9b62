import type { ClientSession } from "../protocol/client-session.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { Fleet } from "../registry/fleet.ts";
import { type McpService, nameOf } from "./mcp-service.ts";

/** `/mcp/<server>`: one server as it is, names unchanged. */
export class SingleService implements McpService {
  readonly #fleet: Fleet;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  async describe(): Promise<Params> {
    const { capabilities, serverInfo, instructions } = await this.#fleet.describe();
    return { capabilities, serverInfo, ...(instructions === undefined ? {} : { instructions }) };
  }

  timeoutFor(): number {
    return this.#fleet.server.timeouts.requestMs;
  }

  async handle(
    session: ClientSession,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
  ): Promise<RpcReply> {
    switch (method) {
      case "ping":
        return { result: {} };
      case "tools/list":
        return { result: { tools: await this.#fleet.listTools() } };
      case "tools/call":
        return callTool(this.#fleet, session, nameOf(params), params, exchange);
      default:
        session.fleets.add(this.#fleet.name);
        return this.#fleet.call(session.claims.id, method, params, exchange);
    }
  }

  notified(session: ClientSession, method: string, params: Params | undefined): void {
    if (method === "notifications/roots/list_changed" && session.fleets.has(this.#fleet.name)) {
      void this.#fleet.notify(session.claims.id, method, params).catch(() => {});
    }
  }
}

/** Calls a tool by its own name or an alias, if the fleet shows it. */
export function callTool(
  fleet: Fleet,
  session: ClientSession,
  name: string,
  params: Params | undefined,
  exchange: Exchange,
): Promise<RpcReply> {
  const tool = fleet.tools.resolve(name);
  if (!fleet.tools.permits(tool)) return Promise.resolve(unknownTool(name));
  session.fleets.add(fleet.name);
  return fleet.call(
    session.claims.id,
    "tools/call",
    tool === params?.name ? params : { ...params, name: tool },
    exchange,
  );
}

/** Servers answer -32602 for a tool that they lack (server/tools, error handling). */
export function unknownTool(name: string): RpcReply {
  return { error: { code: -32602, message: `Unknown tool: ${name}` } };
}
