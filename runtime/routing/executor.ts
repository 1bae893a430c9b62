import type { Logger } from "pino";
import { FleetError } from "../errors.ts";
import { translateCall } from "../orchestrator/presets.ts";
import { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { Priority } from "../protocol/priority.ts";
import type { Fleet, FleetClient } from "../registry/fleet.ts";
import type { FleetRegistry } from "../registry/fleet-registry.ts";
import { type Access, openAccess } from "../security/index.ts";
import { unknownTool } from "./single-service.ts";

/** How one request is to be executed. */
export interface ExecuteTerms {
  /** Where calls wait for each other. Defaults to `normal`. */
  readonly priority?: Priority | undefined;
  /** May an earlier answer serve? Defaults to true. */
  readonly useCache?: boolean | undefined;
  /** Noted in the log. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Executes one request of the REST interface or of a program: an MCP method, a tool's name, or an alias of one. */
export class Executor {
  readonly #registry: FleetRegistry;
  readonly #log: Logger;

  constructor(registry: FleetRegistry, log: Logger) {
    this.#registry = registry;
    this.#log = log;
  }

  /** The fleet of a name. Throws SERVER_UNKNOWN. */
  fleet(server: string): Fleet {
    const fleet = this.#registry.get(server);
    if (fleet !== undefined) return fleet;
    const names = this.#registry.all().map(({ name }) => name);
    const data = { servers: names };
    throw new FleetError("SERVER_UNKNOWN", `no server is called "${server}"; there are: ${names.join(", ")}`, { data });
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
  ): Promise<RpcReply> {
    const fleet = this.fleet(server);
    this.#log.info({ server, method, metadata }, "request");
    const exchange = () => {
      const made = new Exchange(fleet.server.timeouts.requestMs);
      made.priority = priority;
      made.useCache = useCache;
      return made;
    };
    if (method === "ping" || method.includes("/")) {
      if (method !== "tools/list") return access.call(fleet, client, method, params, exchange());
      await access.enter(method, exchange());
      return { result: { tools: access.visible(fleet, "tools", await fleet.listTools(client)) } };
    }
    let reply: RpcReply = unknownTool(method);
    for (const step of translateCall(fleet.server.type, fleet.tools.resolve(method), params ?? {})) {
      if (!fleet.tools.permits(step.tool)) return unknownTool(method);
      const called = { name: step.tool, arguments: step.arguments };
      reply = await access.call(fleet, client, "tools/call", called, exchange());
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
  ): Promise<RpcReply> {
    const fleet = this.fleet(server);
    const tool = fleet.tools.resolve(name);
    if (!fleet.tools.permits(tool)) return unknownTool(name);
    return access.call(
      fleet,
      client,
      "tools/call",
      { name: tool, arguments: args },
      new Exchange(fleet.server.timeouts.requestMs),
    );
  }
}
