import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { loadConfig } from "../../runtime/config/index.ts";
import { TestGateway } from "../support/gateway.ts";
import { ProtectedServer } from "../support/protected-server.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const entry = join(root, "runtime/cli/main.ts");
let folder: string;
let remote: ProtectedServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "client-files-"));
  remote = await ProtectedServer.start(async ({ headers }) =>
    headers.authorization === "Bearer the-token" || headers.context7_api_key === "the-token"
      ? { who: "the client" }
      : { status: 401 },
  );
});
afterEach(async () => {
  await remote.close();
  await rm(folder, { recursive: true, force: true });
});

const variables = {
  API_TOKEN: "the-token",
  REMOTE_TOKEN: "the-token",
  NOTES_TOKEN: "x",
  API_KEY: "x",
  LOCAL_NOTES_API_KEY: "x",
  LOCAL_TOKEN: "x",
  LOCAL_KEY: "x",
  REGION: "eu",
  COMMAND_PICK_FOLDER: "x",
};

test.each([
  ["Claude Code", "claude-code/.mcp.json"],
  ["Claude Desktop", "claude-desktop/claude_desktop_config.json"],
  ["Cline", "cline/cline_mcp_settings.json"],
  ["Codex", "codex/.codex/config.toml"],
  ["Continue", "continue/.continue/config.yaml"],
  ["Cursor", "cursor/.cursor/mcp.json"],
  ["Gemini CLI", "gemini/.gemini/settings.json"],
  ["Goose", "goose/.config/goose/config.yaml"],
  ["opencode", "opencode/opencode.jsonc"],
  ["VS Code", "vscode/.vscode/mcp.json"],
  ["Windsurf", "windsurf/.codeium/windsurf/mcp_config.json"],
  ["Zed", "zed/.zed/settings.json"],
])("what %s starts from its own file, the gateway starts from it too", async (_, path) => {
  const [client] = path.split("/") as [string];
  const project = join(folder, client);
  await cp(join(root, "test/fixtures/clients", client), project, { recursive: true });
  await cp(join(root, "test/fixtures/light-server.mjs"), join(project, "server.mjs"));
  await writeFile(join(project, "run.sh"), `#!/bin/sh\nexec "${process.execPath}" "$@"\n`, { mode: 0o755 });
  for (const home of [folder, project]) {
    await mkdir(join(home, ".secrets"));
    await writeFile(join(home, ".secrets/key"), "x");
  }
  const file = join(folder, path);
  await writeFile(file, (await readFile(file, "utf8")).replaceAll("http://127.0.0.1:4000", new URL(remote.url).origin));
  const env = { ...process.env, ...variables, HOME: folder };
  await run(process.execPath, [entry, "init", "--from", file], { cwd: folder, env });
  await run(process.execPath, [entry, "validate", "--config", "mcp-fleet.yaml"], { cwd: folder, env });

  // What nothing listens for here is of no interest: the other transports, and packages that would be fetched.
  const output = join(folder, "mcp-fleet.yaml");
  const { servers } = parse(await readFile(output, "utf8")) as { servers: Record<string, { process?: unknown }> };
  const wanted = Object.entries(servers).filter(([name]) => /^(local|before|chosen|remote)/.test(name));
  expect(wanted.length).toBeGreaterThan(0);
  await writeFile(output, JSON.stringify({ servers: Object.fromEntries(wanted) }));
  const { config } = await loadConfig(output, { env });
  const gateway = await TestGateway.start(
    { servers: {} },
    { config: { ...config, gateway: { ...config.gateway, port: 0, log: { ...config.gateway.log, level: "silent" } } } },
  );
  try {
    for (const [name] of wanted) {
      const { tools } = await (await gateway.connect(`/mcp/${name}`)).listTools();
      expect([name, tools.length > 0]).toEqual([name, true]);
    }
  } finally {
    await gateway.close();
  }
});
