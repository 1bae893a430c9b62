import { plainNumber } from "../protocol/exact-number.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { type Access, openAccess } from "../security/index.ts";
import { unknownTool } from "./call-fleet.ts";
import type { FederatedService } from "./federated-service.ts";
import { type McpService, nameOf, type ServiceClient } from "./mcp-service.ts";
import { type SearchableTool, ToolIndex } from "./tool-index.ts";

const defaultLimit = 10;
const maxLimit = 50;
/** Longest query, in characters: a paragraph. Searching takes time in proportion to it, and nothing else runs meanwhile. */
const maxQuery = 400;
/** Longest name that is looked up, in characters; names of servers and tools together are shorter. */
const maxName = 256;
const instructions =
  "Many tools of several MCP servers stand behind this one. Search them with find_tools, read their arguments with " +
  "describe_tools, call them with call_tool.";
const text = (description: string, maxLength: number) => ({ type: "string", maxLength, description });

/** What a client sees instead of thousands of tools. */
const metaTools = [
  {
    name: "find_tools",
    description: "Finds tools by what they do. Answers their names and descriptions, the best match first.",
    inputSchema: {
      type: "object",
      properties: {
        query: text("A few words that say what the tool should do.", maxQuery),
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
      properties: {
        names: { type: "array", items: text("A name that find_tools gave.", maxName), maxItems: maxLimit },
      },
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
        name: text("A name that find_tools gave.", maxName),
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
  /** When the last search that was asked for has had its turn. */
  turn: Promise<void>;
}

/** `/mcp` for large fleets (`gateway.toolSearch`): three tools that search, describe and call all the others. */
export class ToolSearchService implements McpService {
  readonly #all: FederatedService;
  /** The same for every caller: what one may not use is left out of what was found. */
  readonly #shared: SharedIndex;
  readonly #access: Access;

  constructor(all: FederatedService, shared?: SharedIndex, access = openAccess) {
    this.#all = all;
    this.#shared = shared ?? { everything: all, index: undefined, turn: Promise.resolve() };
    this.#access = access;
  }

  /** The same for one caller. */
  for(access: Access): ToolSearchService {
    return new ToolSearchService(this.#all.for(access), this.#shared, access);
  }

  describe(): Promise<Params> {
    return this.#all.describe();
  }

  introduce(): Promise<Params> {
    return this.#all.introduce(instructions);
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
    if (method !== "tools/call" && method !== "tools/list") return this.#all.handle(client, method, params, exchange);
    const name = method === "tools/list" ? "" : nameOf(params);
    // The called tool is counted as it is without the search.
    const entering = name === "call_tool" ? undefined : this.#access.enter(method, exchange);
    if (entering !== undefined) await entering;
    if (method === "tools/list") return { result: { tools: metaTools } };
    const args = (params?.arguments ?? {}) as Params;
    switch (name) {
      case "find_tools":
        return this.#find(args);
      case "describe_tools":
        return this.#describe(args);
      case "call_tool": {
        const called = { ...params, name: nameOf(args), arguments: args.arguments ?? {} };
        return this.#all.handle(client, method, called, exchange);
      }
      default:
        return unknownTool(name);
    }
  }

  async #find({ query, limit: wanted }: Params): Promise<RpcReply> {
    const limit = plainNumber(wanted);
    if (typeof query !== "string" || query.trim() === "") return mistaken('"query" must be a text');
    if (query.length > maxQuery) {
      return mistaken(`"query" has ${query.length} characters; send at most ${maxQuery}`);
    }
    const most = typeof limit === "number" ? Math.min(Math.max(Math.trunc(limit), 1), maxLimit) : defaultLimit;
    const everything = (await this.#shared.everything.allTools()) as readonly SearchableTool[];
    this.#shared.index = await ToolIndex.of(everything, this.#shared.index);
    const usable = new Set((await this.#tools()).map(({ name }) => name));
    await this.#turn();
    const matches = this.#shared.index.search(query, everything.length);
    const found = matches.filter(({ name }) => usable.has(name)).slice(0, most);
    return answer({ tools: found.map(({ name, title, description }) => ({ name, title, description })) });
  }

  async #describe({ names }: Params): Promise<RpcReply> {
    if (!Array.isArray(names) || names.some((name) => typeof name !== "string")) {
      return mistaken('"names" must be a list of texts');
    }
    if (names.length > maxLimit) return mistaken(`"names" has ${names.length} names; send at most ${maxLimit}`);
    if (names.some(({ length }) => length > maxName)) {
      return mistaken(`a name has more than ${maxName} characters; send names that find_tools gave`);
    }
    const wanted = new Set<string>(names);
    const tools = (await this.#tools()).filter(({ name }) => wanted.has(name));
    const unknown = [...wanted].filter((name) => !tools.some((tool) => tool.name === name));
    return answer({ tools, ...(unknown.length === 0 ? {} : { unknown }) });
  }

  /** Nothing else runs during a search: each has a turn of the event loop to itself, however many are asked for at once. */
  #turn(): Promise<void> {
    const shared = this.#shared;
    shared.turn = shared.turn.then(() => new Promise((resolve) => void setImmediate(resolve)));
    return shared.turn;
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
