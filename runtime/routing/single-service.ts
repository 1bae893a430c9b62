import type { Exchange } from "../protocol/exchange.ts";
import { encodeNotification, type Params, type RpcReply } from "../protocol/json-rpc.ts";
import { isLogLevel } from "../protocol/log-levels.ts";
import { withoutEnvelope } from "../protocol/modern.ts";
import type { Fleet } from "../registry/fleet.ts";
import type { ResourceListener } from "../registry/resource-subscriptions.ts";
import { type Access, openAccess } from "../security/index.ts";
import { type McpService, methodNotFound, nameOf, type ServiceClient, uriOf } from "./mcp-service.ts";

/** `/mcp/<server>`: one server as it is, names unchanged. */
export class SingleService implements McpService {
  readonly #fleet: Fleet;
  readonly #access: Access;

  constructor(fleet: Fleet, access = openAccess) {
    this.#fleet = fleet;
    this.#access = access;
  }

  async describe(): Promise<Params> {
    const { capabilities, serverInfo, instructions } = await this.#fleet.describe();
    return { capabilities, serverInfo, ...(instructions === undefined ? {} : { instructions }) };
  }

  timeoutFor(): number {
    return this.#fleet.server.timeouts.requestMs;
  }

  tool(name: string): Promise<Params | undefined> {
    return this.#fleet.tool(this.#fleet.tools.resolve(name));
  }

  handle(client: ServiceClient, method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply> {
    if (answeredHere.has(method)) return this.#answer(client, method, params, exchange);
    try {
      return method === "tools/call"
        ? callTool(this.#fleet, this.#access, client, nameOf(params), params, exchange)
        : callFleet(this.#fleet, this.#access, client, method, params, exchange);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #answer(
    client: ServiceClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
  ): Promise<RpcReply> {
    await this.#access.enter(method, exchange);
    switch (method) {
      case "ping":
        return { result: {} };
      case "tools/list":
        return { result: { tools: this.#access.visible(this.#fleet, "tools", await this.#fleet.listTools(client)) } };
      case "logging/setLevel":
        await this.#access.check(this.#fleet, method, params);
        return this.#setLogLevel(client, params);
      case "resources/subscribe": {
        const tell = (about: Params) => client.notify(encodeNotification("notifications/resources/updated", about));
        return this.subscribe(client, uriOf(params), tell);
      }
      default:
        return this.#fleet.unsubscribe(client, uriOf(params));
    }
  }

  async subscribe(client: ServiceClient, uri: string, listener: ResourceListener): Promise<RpcReply> {
    await this.#access.check(this.#fleet, "resources/subscribe", { uri });
    client.fleets.add(this.#fleet.name);
    return this.#fleet.subscribe(client, uri, listener);
  }

  notified(client: ServiceClient, method: string, params: Params | undefined): void {
    if (method === "notifications/roots/list_changed" && client.fleets.has(this.#fleet.name)) {
      void this.#fleet.notify(client, method, params).catch(() => {});
    }
  }

  async #setLogLevel(client: ServiceClient, params: Params | undefined): Promise<RpcReply> {
    const { capabilities } = await this.#fleet.describe();
    if (!("logging" in capabilities)) return methodNotFound("logging/setLevel");
    const level = params?.level;
    if (!isLogLevel(level)) return unknownLevel(level);
    client.logLevel = level;
    client.fleets.add(this.#fleet.name);
    return this.#fleet.setLogLevel(client, level);
  }
}

/** What the gateway answers without asking the server for this caller. */
const answeredHere = new Set([
  "ping",
  "tools/list",
  "logging/setLevel",
  "resources/subscribe",
  "resources/unsubscribe",
]);

/** Calls a tool by its own name or an alias, if the fleet shows it. */
export function callTool(
  fleet: Fleet,
  access: Access,
  client: ServiceClient,
  name: string,
  params: Params | undefined,
  exchange: Exchange,
): Promise<RpcReply> {
  const tool = fleet.tools.resolve(name);
  if (!fleet.tools.permits(tool)) return Promise.resolve(unknownTool(name));
  const sent = tool === params?.name ? params : { ...params, name: tool };
  return callFleet(fleet, access, client, "tools/call", sent, exchange);
}

/** Sends one request to a fleet for a client. */
export function callFleet(
  fleet: Fleet,
  access: Access,
  client: ServiceClient,
  method: string,
  params: Params | undefined,
  exchange: Exchange,
): Promise<RpcReply> {
  client.fleets.add(fleet.name);
  return exchange.client?.modern === true || exchange.client?.logLevel !== undefined || method.startsWith("tasks/")
    ? callKnown(fleet, access, client, method, params, exchange)
    : access.call(fleet, client, method, params, exchange);
}

/** The same where it matters what the server is. */
async function callKnown(
  fleet: Fleet,
  access: Access,
  client: ServiceClient,
  method: string,
  params: Params | undefined,
  exchange: Exchange,
): Promise<RpcReply> {
  const modern = exchange.client?.modern === true;
  const level = exchange.client?.logLevel;
  const server = await fleet.describe();
  // The tasks of 2025-11-25 and the extension of 2026-07-28 share names, not messages.
  if (method.startsWith("tasks/") && server.modern !== modern) return methodNotFound(method);
  if (modern && !server.modern && params?.requestState !== undefined) return foreignState();
  if (level !== undefined && !server.modern && "logging" in server.capabilities) {
    await fleet.setLogLevel(client, level);
  }
  const sent = modern && !server.modern ? withoutEnvelope(params) : params;
  return access.call(fleet, client, method, sent, exchange);
}

/** A server of the session era has no `requestState`: the one that came is neither the gateway's nor the server's. */
function foreignState(): RpcReply {
  const message = 'Invalid params: "requestState" was not made here, or has been changed';
  return { error: { code: -32602, message } };
}

export function unknownLevel(level: unknown): RpcReply {
  return { error: { code: -32602, message: `Invalid params: unknown log level ${JSON.stringify(level)}` } };
}

/** Servers answer -32602 for a tool that they lack (server/tools, error handling). */
export function unknownTool(name: string): RpcReply {
  return { error: { code: -32602, message: `Unknown tool: ${name}` } };
}
