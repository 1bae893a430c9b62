import type { Exchange } from "../protocol/exchange.ts";
import { encodeNotification, type Params, type RpcReply } from "../protocol/json-rpc.ts";
import { isLogLevel } from "../protocol/log-levels.ts";
import type { Fleet } from "../registry/fleet.ts";
import type { ResourceListener } from "../registry/resource-subscriptions.ts";
import { type Access, openAccess } from "../security/index.ts";
import { callFleet, callTool } from "./call-fleet.ts";
import { type McpService, methodNotFound, nameOf, type ServiceClient, uriOf } from "./mcp-service.ts";

/** `/mcp/<server>`: one server as it is, names unchanged. */
export class SingleService implements McpService {
  readonly #given: Fleet;
  readonly #access: Access;

  constructor(fleet: Fleet, access = openAccess) {
    this.#given = fleet;
    this.#access = access;
  }

  /** A connection can live longer than the fleet that served when it was opened. */
  get #fleet(): Fleet {
    return this.#given.generations.latest;
  }

  async describe(): Promise<Params> {
    const { capabilities, serverInfo, instructions } = await this.#fleet.describe();
    return {
      capabilities: withoutTaskLists(capabilities),
      serverInfo,
      ...(instructions === undefined ? {} : { instructions }),
    };
  }

  introduce(): Promise<Params> {
    return this.describe();
  }

  timeoutFor(): number {
    return this.#fleet.server.timeouts.requestMs;
  }

  tool(name: string): Promise<Params | undefined> {
    return shownTool(this.#fleet, this.#access, name);
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
        await this.#access.check(this.#fleet, method, params);
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

/** What the server can do, but for lists of tasks: a shared server would name those of every caller. */
function withoutTaskLists(capabilities: Params): Params {
  const { list, ...tasks } = (capabilities.tasks ?? {}) as Params;
  return list === undefined ? capabilities : { ...capabilities, tasks };
}

/** A tool by its own name or an alias, if the caller may use it. */
export async function shownTool(fleet: Fleet, access: Access, name: string): Promise<Params | undefined> {
  const own = fleet.tools.resolve(name);
  const tool = fleet.tools.permits(own) ? await fleet.tool(own) : undefined;
  return tool && access.visible(fleet, "tools", [tool])[0];
}

export function unknownLevel(level: unknown): RpcReply {
  return { error: { code: -32602, message: `Invalid params: unknown log level ${JSON.stringify(level)}` } };
}
