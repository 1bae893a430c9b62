import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { Access } from "../security/index.ts";
import { unknownTool } from "./call-fleet.ts";
import type { FederatedService } from "./federated-service.ts";
import { type McpService, nameOf, type ServiceClient } from "./mcp-service.ts";
import { type SearchableTool, ToolIndex } from "./tool-index.ts";

const defaultLimit = 10;
const maxLimit = 50;
const instructions =
  "Many tools of several MCP servers stand behind this one. Search them with find_tools, read their arguments with " +
  "describe_tools, call them with call_tool.";
const text = (description: string) => ({ type: "string", description });

/** What a client sees instead of thousands of tools. */
const metaTools = [
  {
    name: "find_tools",
    description: "Finds tools by what they do. Answers their names and descriptions, the best match first.",
    inputSchema: {
      type: "object",
      properties: {
        query: text("Words that say what the tool should do."),
        limit: { type: "integer", minimum: 1, maximum: maxLimit, description: `Defaults to ${defaultLimit}.` },
      },
      required: ["query"],
    },
    annotations: { readOnlyHint: true },
  },
  {
    name: "describe_tools",
    description: "Gives the whole description of tools, with the schema of their arguments.",
    inputSchema: {
      type: "object",
      properties: { names: { type: "array", items: text("A name that find_tools gave."), maxItems: maxLimit } },
      required: ["names"],
    },
    annotations: { readOnlyHint: true },
  },
  {
    name: "call_tool",
    description: "Calls a tool that find_tools gave; the answer is the tool's own.",
    inputSchema: {
      type: "object",
      properties: {
        name: text("A name that find_tools gave."),
        arguments: { type: "object", description: "The tool's arguments." },
      },
      required: ["name"],
    },
  },
] as const;

/** The index over all tools, made anew when they have changed. */
interface SharedIndex {
  readonly everything: FederatedService;
  index: ToolIndex | undefined;
}

/** `/mcp` for large fleets (`gateway.toolSearch`): three tools that search, describe and call all the others. */
export class ToolSearchService implements McpService {
  readonly #all: FederatedService;
  /** The same for every caller: what one may not use is left out of what was found. */
  readonly #shared: SharedIndex;

  constructor(all: FederatedService, shared: SharedIndex = { everything: all, index: undefined }) {
    this.#all = all;
    this.#shared = shared;
  }

  /** The same for one caller. */
  for(access: Access): ToolSearchService {
    return new ToolSearchService(this.#all.for(access), this.#shared);
  }

  async describe(): Promise<Params> {
    return { ...(await this.#all.describe()), instructions };
  }

  timeoutFor(params: Params | undefined): number {
    const called = params?.arguments as Params | undefined;
    return this.#all.timeoutFor(params?.name === "call_tool" ? called : params);
  }

  tool(name: string): Promise<Params | undefined> {
    return Promise.resolve(metaTools.find((tool) => tool.name === name));
  }

  subscribe(...args: Parameters<FederatedService["subscribe"]>): Promise<RpcReply> {
    return this.#all.subscribe(...args);
  }

  notified(...args: Parameters<FederatedService["notified"]>): void {
    this.#all.notified(...args);
  }

  async handle(
    client: ServiceClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
  ): Promise<RpcReply> {
    if (method === "tools/list") return { result: { tools: metaTools } };
    if (method !== "tools/call") return this.#all.handle(client, method, params, exchange);
    const args = (params?.arguments ?? {}) as Params;
    switch (nameOf(params)) {
      case "find_tools":
        return this.#find(args);
      case "describe_tools":
        return this.#describe(args);
      case "call_tool": {
        const called = { ...params, name: nameOf(args), arguments: args.arguments ?? {} };
        return this.#all.handle(client, method, called, exchange);
      }
      default:
        return unknownTool(nameOf(params));
    }
  }

  async #find({ query, limit }: Params): Promise<RpcReply> {
    if (typeof query !== "string" || query.trim() === "") return mistaken('"query" must be a text');
    const most = typeof limit === "number" ? Math.min(Math.max(Math.trunc(limit), 1), maxLimit) : defaultLimit;
    const everything = (await this.#shared.everything.allTools()) as readonly SearchableTool[];
    this.#shared.index = await ToolIndex.of(everything, this.#shared.index);
    const usable = new Set((await this.#tools()).map(({ name }) => name));
    const matches = this.#shared.index.search(query, everything.length);
    const found = matches.filter(({ name }) => usable.has(name)).slice(0, most);
    return answer({ tools: found.map(({ name, title, description }) => ({ name, title, description })) });
  }

  async #describe({ names }: Params): Promise<RpcReply> {
    if (!Array.isArray(names)) return mistaken('"names" must be a list of texts');
    const wanted = new Set<unknown>(names.slice(0, maxLimit));
    const tools = (await this.#tools()).filter(({ name }) => wanted.has(name));
    const unknown = [...wanted].filter((name) => !tools.some((tool) => tool.name === name));
    return answer({ tools, ...(unknown.length === 0 ? {} : { unknown }) });
  }

  #tools(): Promise<readonly SearchableTool[]> {
    return this.#all.allTools() as Promise<readonly SearchableTool[]>;
  }
}

/** A result that models read as text and programs as data (server/tools, "Structured Content"). */
const answer = (value: Params): RpcReply => ({
  result: { content: [{ type: "text", text: JSON.stringify(value) }], structuredContent: value },
});

/** Wrong arguments are told in the result, where the model sees them (server/tools, "Error Handling"). */
const mistaken = (problem: string): RpcReply => ({
  result: { content: [{ type: "text", text: `Invalid arguments: ${problem}` }], isError: true },
});
