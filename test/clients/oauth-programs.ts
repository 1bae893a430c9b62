import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { comeBack } from "../support/login.ts";
import { counted, type Errand, type Errands } from "./oauth-errands.ts";

/** Longer than the short-lived tokens of the tests' authorization server are good for. */
const expiryMs = 4000;
/** Waits until they have expired. */
export const expiry = () => new Promise((resolve) => setTimeout(resolve, expiryMs));

/** A person who opens each page of an authorization server that a program shows. */
export function opens(shown: Readable): void {
  const opened = new Set<string>();
  let text = "";
  shown.on("data", (chunk) => {
    text += chunk;
    for (const [page] of text.matchAll(/http:\/\/[\w.:]+\/auth\?[\w.=&%+~-]+(?=[^\w.=&%+~-])/g)) {
      if (!opened.has(page)) void visit(new URL(page));
      opened.add(page);
    }
  });
}

async function visit(page: URL): Promise<void> {
  const back = await comeBack(page, page.searchParams.get("redirect_uri") as string);
  // A person takes longer than a program that listens after it has shown the page.
  while (!(await fetch(back).catch(() => undefined))) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Runs with a folder for what the program remembers; nothing opens a browser by itself. */
export async function remembering<T>(run: (folder: string, env: Record<string, string>) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "errand-"));
  try {
    return await run(folder, {
      PATH: process.env.PATH ?? "",
      HOME: folder,
      BROWSER: "true",
      MCP_AUTO_OPEN_ENABLED: "true",
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const inspector = join(
  import.meta.dirname,
  "../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js",
);

/** The Inspector's command line: a process for each call, which find each other's tokens. */
export const inspectorCli: Errands = ({ url, transport, calls }) =>
  remembering(async (folder, env) => {
    const call = (tool: string) =>
      new Promise<string>((resolve, reject) => {
        const args = [inspector, "--cli", url, "--transport", transport, "--format", "json"];
        args.push("--callback-url", "http://127.0.0.1:0/oauth/callback");
        const child = execFile(
          process.execPath,
          [...args, "--method", "tools/call", "--tool-name", tool],
          { env: { ...env, MCP_STORAGE_DIR: folder, MCP_INSPECTOR_SECRET_STORE: "file" } },
          (error, stdout, stderr) =>
            error === null
              ? resolve(JSON.parse(stdout).result.content[0].text)
              : reject(new Error(`${error.message}\n${stderr}`)),
        );
        opens(child.stderr as Readable);
        opens(child.stdout as Readable);
      });
    const said: string[] = [];
    for (const { tool, expired } of calls) {
      if (expired) await expiry();
      said.push((await call(tool)).slice(0, counted.length));
    }
    return said;
  });

/** mcp-remote, a stdio server in front of a URL; `$MCP_REMOTE` is its `dist/proxy.js`. */
export const mcpRemote: Errands = ({ url, transport, calls }: Errand) =>
  remembering(async (folder, env) => {
    const link = new StdioClientTransport({
      command: process.execPath,
      args: [process.env.MCP_REMOTE as string, url, "--transport", `${transport}-only`],
      env: { ...env, MCP_REMOTE_CONFIG_DIR: folder },
      stderr: "pipe",
    });
    opens(link.stderr as Readable);
    const client = new Client({ name: "behind mcp-remote", version: "1" });
    try {
      await client.connect(link);
      const said: string[] = [];
      for (const { tool, expired } of calls) {
        if (expired) await expiry();
        const { content } = await client.callTool({ name: tool, arguments: {} });
        said.push((content as { text: string }[])[0]?.text.slice(0, counted.length) ?? "");
      }
      return said;
    } finally {
      await client.close();
    }
  });
