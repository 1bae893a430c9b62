import type { Logger } from "pino";
import { FleetError, messageOf } from "../errors.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { Fleet } from "../registry/fleet.ts";
import type { FleetRegistry } from "../registry/fleet-registry.ts";
import type { GatewayIdentity } from "../upstreams/handshake.ts";
import { federatedName, splitFederatedName } from "./federated-name.ts";
import { type McpService, methodNotFound, nameOf, type ServiceClient } from "./mcp-service.ts";
import { callFleet, callTool, unknownTool } from "./single-service.ts";

/** What a merged list waits for one slow server. */
const listDeadlineMs = 15_000;
const defaultTimeoutMs = 120_000;
const instructions = "Tools and prompts of several MCP servers; each name begins with its server: <server>__<name>.";

/** `/mcp`: the tools and prompts of all servers, as `<server>__<name>`, in the order of the servers' names. */
export class FederatedService implements McpService {
  readonly #registry: FleetRegistry;
  readonly #identity: GatewayIdentity;
  readonly #log: Logger;

  constructor(registry: FleetRegistry, identity: GatewayIdentity, log: Logger) {
    this.#registry = registry;
    this.#identity = identity;
    this.#log = log;
  }

  async describe(): Promise<Params> {
    const capabilities = { tools: { listChanged: true }, prompts: { listChanged: true } };
    return { capabilities, serverInfo: this.#identity, instructions };
  }

  timeoutFor(params: Params | undefined): number {
    const server = typeof params?.name === "string" ? splitFederatedName(params.name)?.server : undefined;
    const fleet = server === undefined ? undefined : this.#registry.get(server);
    return fleet?.server.timeouts.requestMs ?? defaultTimeoutMs;
  }

  async handle(
    client: ServiceClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
  ): Promise<RpcReply> {
    switch (method) {
      case "ping":
        return { result: {} };
      case "tools/list":
        return this.#merge("tools", (fleet) => fleet.listTools());
      case "prompts/list":
        return this.#merge("prompts", (fleet) => fleet.catalog.list("prompts"));
      case "tools/call": {
        const target = await this.#find(nameOf(params), (fleet) => fleet.listTools());
        if (target === undefined) return unknownTool(nameOf(params));
        return callTool(target.fleet, client, target.name, params, exchange);
      }
      case "prompts/get": {
        const target = await this.#find(nameOf(params), (fleet) => fleet.catalog.list("prompts"));
        if (target === undefined) return { error: { code: -32602, message: `Unknown prompt: ${nameOf(params)}` } };
        return callFleet(target.fleet, client, method, { ...params, name: target.name }, exchange);
      }
      default:
        return methodNotFound(method);
    }
  }

  notified(): void {}

  async tool(name: string): Promise<Params | undefined> {
    const target = await this.#find(name, (fleet) => fleet.listTools());
    return target?.fleet.tool(target.fleet.tools.resolve(target.name));
  }

  async subscribe(): Promise<RpcReply> {
    return methodNotFound("resources/subscribe");
  }

  /** One list of all servers; those that cannot answer in time are left out and named in `_meta`. */
  async #merge(
    key: "tools" | "prompts",
    list: (fleet: Fleet) => Promise<readonly { name: string }[]>,
  ): Promise<RpcReply> {
    const fleets = this.#registry.all();
    const lists = await Promise.allSettled(fleets.map((fleet) => withDeadline(list(fleet), fleet.name)));
    const items: unknown[] = [];
    const unavailable: string[] = [];
    lists.forEach((outcome, index) => {
      const { name: server } = fleets[index] as Fleet;
      if (outcome.status === "fulfilled") {
        for (const item of outcome.value) items.push({ ...item, name: federatedName(server, item.name) });
      } else {
        unavailable.push(server);
        this.#log.warn({ server, list: key }, `left out of the list: ${messageOf(outcome.reason)}`);
      }
    });
    const meta = unavailable.length === 0 ? {} : { _meta: { "mcp-fleet/unavailable": unavailable } };
    return { result: { [key]: items, ...meta } };
  }

  /** The fleet of a federated name, and the name there. */
  async #find(
    text: string,
    list: (fleet: Fleet) => Promise<readonly { name: string }[]>,
  ): Promise<{ fleet: Fleet; name: string } | undefined> {
    const parts = splitFederatedName(text);
    const fleet = parts === undefined ? undefined : this.#registry.get(parts.server);
    if (parts === undefined || fleet === undefined) return undefined;
    if (!parts.cut) return { fleet, name: parts.name };
    const whole = (await list(fleet)).find(({ name }) => federatedName(fleet.name, name) === text);
    return { fleet, name: whole?.name ?? parts.name };
  }
}

async function withDeadline<T>(promise: Promise<T>, server: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new FleetError("REQUEST_TIMEOUT", `${server}: no list within ${listDeadlineMs} ms`)),
      listDeadlineMs,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
