import type { Logger } from "pino";
import { FleetError } from "../errors.ts";
import { translateCall } from "../orchestrator/presets.ts";
import { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { excerpt } from "../protocol/methods.ts";
import type { Priority } from "../protocol/priority.ts";
import type { Fleet, FleetClient } from "../registry/fleet.ts";
import type { FleetRegistry } from "../registry/fleet-registry.ts";
import { type Access, openAccess } from "../security/index.ts";
import { callFleet, callTool } from "./call-fleet.ts";
import { loggedMetadata } from "./logged-metadata.ts";
import { nameOf } from "./mcp-service.ts";

/** How one request is to be executed. */
export interface ExecuteTerms {
  /** Where calls wait for each other. Defaults to `normal`. */
  readonly priority?: Priority | undefined;
  /** May an earlier answer serve? Defaults to true. */
  readonly useCache?: boolean | undefined;
  /** Noted in the log, up to 16 members a level, three levels and 100 characters a text. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Hears of each call that a request becomes, as it begins: the one under way can be cancelled. */
export type CallWatch = (exchange: Exchange) => void;

/** Executes one request of the REST interface or of a program: an MCP method, a tool's name, or an alias of one. */
export class Executor {
  readonly #registry: FleetRegistry;
  readonly #log: Logger;

  constructor(registry: FleetRegistry, log: Logger) {
    this.#registry = registry;
    this.#log = log;
  }

  /** The fleet of a name. Throws SERVER_UNKNOWN, also for one that is hidden from the caller. */
  fleet(server: string, access: Access = openAccess): Fleet {
    const fleet = this.#registry.get(server);
    if (fleet !== undefined && access.knows(fleet)) return fleet;
    const names = this.#registry
      .all()
      .filter((other) => access.reaches(other))
      .map(({ name }) => name);
    const data = { servers: names };
    const text = `no server is called "${excerpt(server)}"; there are: ${names.join(", ")}`;
    throw new FleetError("SERVER_UNKNOWN", text, { data });
  }

  /**
   * The server's own reply, unchanged. A method with a slash, and `ping`, is one of MCP; anything else names a tool or
   * an alias, which may stand for several calls: then the reply is the last one's, or the first that failed.
   */
  async execute(
    client: FleetClient,
    server: string,
    method: string,
    params: Params | undefined,
    { priority, useCache = true, metadata }: ExecuteTerms = {},
    access: Access = openAccess,
    watch: CallWatch = () => {},
  ): Promise<RpcReply> {
    const fleet = this.fleet(server, access);
    if (this.#log.isLevelEnabled("info"))
      this.#log.info({ server, method: excerpt(method), metadata: loggedMetadata(metadata) }, "request");
    const exchange = () => {
      const made = new Exchange(fleet.server.timeouts.requestMs);
      made.priority = priority;
      made.useCache = useCache;
      watch(made);
      return made;
    };
    if (method === "tools/call") return callTool(fleet, access, client, nameOf(params), params, exchange());
    if (method === "tools/list") {
      await access.enter(method, exchange());
      return { result: { tools: access.visible(fleet, "tools", await fleet.listTools(client)) } };
    }
    if (method === "ping" || method.includes("/")) return callFleet(fleet, access, client, method, params, exchange());
    const steps = translateCall(fleet.server.type, fleet.tools.resolve(method), params ?? {}).map((step) => ({
      name: step.tool,
      arguments: step.arguments,
    }));
    // Nothing is done by halves: all steps are judged before the first one runs.
    if (steps.length > 1) for (const step of steps) await access.check(fleet, "tools/call", step);
    let reply: RpcReply = { result: {} };
    for (const step of steps) {
      reply = await callFleet(fleet, access, client, "tools/call", step, exchange());
      if ("error" in reply || (reply.result as { isError?: boolean }).isError === true) return reply;
    }
    return reply;
  }

  /** One tool by its own name or an alias, its arguments as they are. */
  async callTool(
    client: FleetClient,
    server: string,
    name: string,
    args: Params,
    access: Access = openAccess,
    watch: CallWatch = () => {},
  ): Promise<RpcReply> {
    const fleet = this.fleet(server, access);
    const exchange = new Exchange(fleet.server.timeouts.requestMs);
    watch(exchange);
    return callTool(fleet, access, client, name, { name, arguments: args }, exchange);
  }
}
