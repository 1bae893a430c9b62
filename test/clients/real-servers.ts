import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Server as ServerConfig } from "../../runtime/config/schema/index.ts";
import { has } from "../support/present.ts";

/** One call of a real server whose answer is known to the letter. */
export interface KnownCall {
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
  readonly answer: string;
}

/** A real server, how many tools it has, and what it is asked. */
export interface RealServer extends KnownCall {
  readonly config: ServerConfig;
  readonly tools: number;
}

const page = "<html><body><h1>Hello</h1><p>from the page</p></body></html>";
const anna = { name: "Anna", entityType: "person", observations: ["likes tea"] };

/** The real servers of the matrix with what they work on: a folder, a repository, a graph, a page on loopback. */
export class RealServers {
  readonly servers: Readonly<Record<string, RealServer>>;
  readonly #folder: string;
  readonly #page: Server;

  private constructor(servers: Readonly<Record<string, RealServer>>, folder: string, page: Server) {
    this.servers = servers;
    this.#folder = folder;
    this.#page = page;
  }

  static async prepare(): Promise<RealServers> {
    const folder = mkdtempSync(join(tmpdir(), "real-servers-"));
    const [files, repository, memory] = ["files", "repository", "memory.jsonl"].map((name) => join(folder, name));
    mkdirSync(files as string);
    writeFileSync(join(files as string, "hello.txt"), "hello from a file\n");
    writeFileSync(memory as string, `${JSON.stringify({ type: "entity", ...anna })}\n`);
    const git = (...args: string[]) => execFileSync("git", args, { stdio: "ignore" });
    git("init", "--initial-branch=main", repository as string);
    const author = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    git("-C", repository as string, ...author, "commit", "--allow-empty", "--message=first");
    const web = createServer((_request, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end(page),
    ).listen(0, "127.0.0.1");
    await once(web, "listening");
    const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/page`;

    const ofNode: Record<string, RealServer> = {
      everything: {
        config: nodeServer("everything", ["stdio"]),
        tools: 17,
        ...{ tool: "echo", arguments: { message: "hé" }, answer: "Echo: hé" },
      },
      filesystem: {
        config: nodeServer("filesystem", [files as string]),
        tools: 14,
        ...{ tool: "read_text_file", arguments: { path: join(files as string, "hello.txt") } },
        answer: "hello from a file\n",
      },
      memory: {
        config: nodeServer("memory", [], { MEMORY_FILE_PATH: memory as string }),
        tools: 9,
        ...{ tool: "open_nodes", arguments: { names: ["Anna"] } },
        answer: JSON.stringify({ entities: [anna], relations: [] }, null, 2),
      },
      // What it knows of libraries it asks of the internet; this answer is its own.
      context7: {
        config: { type: "context7" },
        tools: 2,
        ...{ tool: "query-docs", arguments: { libraryId: 7, query: "x" } },
        answer:
          "Input validation error: Invalid arguments for tool query-docs: libraryId: Invalid input: expected string, received number",
      },
    };
    const ofPython: Record<string, RealServer> = {
      fetch: {
        config: pythonServer("fetch", ["--allow-private-ips", "--ignore-robots-txt"]),
        tools: 1,
        ...{ tool: "fetch", arguments: { url }, answer: `Contents of ${url}:\n## Hello\n\nfrom the page` },
      },
      git: {
        config: pythonServer("git", ["--repository", repository as string]),
        tools: 12,
        ...{ tool: "git_status", arguments: { repo_path: repository } },
        answer: "Repository status:\nOn branch main\nnothing to commit, working tree clean",
      },
      time: {
        config: pythonServer("time", ["--local-timezone", "UTC"]),
        tools: 2,
        ...{
          tool: "convert_time",
          arguments: { source_timezone: "UTC", time: "12:00", target_timezone: "Asia/Tokyo" },
        },
        answer: JSON.stringify(
          {
            source: { timezone: "UTC", datetime: "<today>T12:00:00+00:00", day_of_week: "<day>", is_dst: false },
            target: { timezone: "Asia/Tokyo", datetime: "<today>T21:00:00+09:00", day_of_week: "<day>", is_dst: false },
            time_difference: "+9.0h",
          },
          null,
          2,
        ),
      },
    };
    return new RealServers({ ...ofNode, ...(has("the Python clients and servers") ? ofPython : {}) }, folder, web);
  }

  close(): void {
    this.#page.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const { resolve } = createRequire(import.meta.url);

const nodeServer = (name: string, args: string[], env: Record<string, string> = {}): ServerConfig => ({
  ...{ type: "custom", isolation: "shared" },
  process: {
    command: process.execPath,
    args: [resolve(`@modelcontextprotocol/server-${name}/dist/index.js`), ...args],
    env,
  },
});

const pythonServer = (name: string, args: string[]): ServerConfig => ({
  ...{ type: "custom", isolation: "shared" },
  process: { command: process.env.MCP_PYTHON ?? "python3", args: ["-m", `mcp_server_${name}`, ...args] },
});
