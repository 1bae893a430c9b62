import { type Isolation, type ServerType, usualIsolation } from "../config/schema/index.ts";
import type { Params } from "../protocol/json-rpc.ts";

/** One tool call that a method of the specification stands for. */
export interface ToolCall {
  readonly tool: string;
  readonly arguments: Params;
}

/** A real public MCP server, pinned. */
export interface Preset {
  /** npm package and the version that is known to work. */
  readonly package: string;
  readonly version: string;
  /** Command of the package. */
  readonly bin: string;
  readonly args: (machine: Machine) => readonly string[];
  /** Who may share one of its processes, by what it remembers between calls. */
  readonly isolation: Isolation;
  /** Other names of its tools. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Methods of the specification that are not simply a tool: from their parameters to calls. */
  readonly methods: Readonly<Record<string, (params: Params) => readonly ToolCall[]>>;
}

/** What the arguments of a preset depend on. */
export interface Machine {
  /** A browser can make a sandbox of its own: not as root, and not within one of ours. */
  readonly ownSandbox: boolean;
  /** A Chromium or Chrome of the system; undefined when there is none. */
  readonly browser: string | undefined;
}

export const presets: Readonly<Record<Exclude<ServerType, "custom">, Preset>> = {
  context7: {
    package: "@upstash/context7-mcp",
    version: "4.1.1",
    bin: "context7-mcp",
    args: () => [],
    isolation: usualIsolation.context7,
    aliases: {},
    methods: {
      // The server asks what the library is wanted for; its name says the most when the caller says nothing.
      "resolve-library-id": (params) => [
        { tool: "resolve-library-id", arguments: { query: params.libraryName, ...params } },
      ],
    },
  },
  sequential: {
    package: "@modelcontextprotocol/server-sequential-thinking",
    version: "2026.8.31",
    bin: "mcp-server-sequential-thinking",
    args: () => [],
    isolation: usualIsolation.sequential,
    aliases: { "analyze-problem": "sequentialthinking" },
    methods: {
      sequentialthinking: ({ problem, ...params }) => [
        { tool: "sequentialthinking", arguments: thought(problem, params) },
      ],
    },
  },
  magic: {
    package: "@21st-dev/magic",
    // From 0.2 on it ends at once when it has no API key.
    version: "0.1.0",
    bin: "magic",
    args: () => [],
    isolation: usualIsolation.magic,
    // Its builder waits for a person at a browser on the server's machine; this tool asks 21st.dev and answers.
    aliases: { "generate-component": "21st_magic_component_inspiration" },
    methods: {
      "21st_magic_component_inspiration": ({ type, ...params }) => [
        { tool: "21st_magic_component_inspiration", arguments: component(type, params) },
      ],
    },
  },
  playwright: {
    package: "@playwright/mcp",
    version: "0.0.83",
    bin: "playwright-mcp",
    args: ({ ownSandbox, browser }) => [
      "--headless",
      "--isolated",
      ...(ownSandbox ? [] : ["--no-sandbox"]),
      ...(browser === undefined ? [] : ["--executable-path", browser]),
    ],
    isolation: usualIsolation.playwright,
    aliases: {},
    methods: {
      "navigate-and-screenshot": ({ url, ...params }) => [
        { tool: "browser_navigate", arguments: { url } },
        { tool: "browser_take_screenshot", arguments: { scale: "css", ...params } },
      ],
    },
  },
};

/** The calls that a method comes to: those of its preset, else the tool of that name with the parameters as they are. */
export function translateCall(type: ServerType, method: string, params: Params): readonly ToolCall[] {
  const translate = type === "custom" ? undefined : presets[type].methods[method];
  return translate?.(params) ?? [{ tool: method, arguments: params }];
}

function thought(problem: unknown, params: Params): Params {
  if (problem === undefined) return params;
  return { thought: problem, thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false, ...params };
}

function component(type: unknown, params: Params): Params {
  if (type === undefined) return params;
  const what = typeof type === "string" ? type : JSON.stringify(type);
  return { message: `Create a ${what} component`, searchQuery: what, ...params };
}
