import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

/** Where clients keep their servers; the first file that holds one is taken. */
export function usualPlaces(): readonly string[] {
  const home = homedir();
  const desktop = "Claude/claude_desktop_config.json";
  const codeium = ".codeium/windsurf/mcp_config.json";
  const cline = "Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json";
  const support = join(home, "Library/Application Support");
  const config = join(home, ".config");
  const ofProject = [
    ...[".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json", ".codex/config.toml", ".gemini/settings.json"],
    ...["opencode.json", "opencode.jsonc", ".opencode/opencode.json", ".continue/config.yaml", ".zed/settings.json"],
  ];
  const ofUser = [
    ...[join(support, desktop), join(config, desktop), join(home, ".claude.json"), join(home, ".cursor/mcp.json")],
    ...[join(home, codeium), join(home, ".codex/config.toml"), join(home, ".gemini/settings.json")],
    ...[join(config, "opencode/opencode.json"), join(home, ".continue/config.yaml"), join(config, "zed/settings.json")],
    ...[join(support, cline), join(config, cline), join(config, "goose/config.yaml")],
  ];
  return [...ofProject, ...ofUser];
}

const foldersOfClients = new Set([
  ...[
    ".claude",
    ".codeium",
    ".codex",
    ".config",
    ".continue",
    ".cursor",
    ".gemini",
    ".opencode",
    ".roo",
    ".vscode",
    ".zed",
  ],
]);

/** The folder that a client starts servers in: the file's own, or the one above the client's hidden folder. */
export function projectOf(file: string): string {
  const own = dirname(resolve(file));
  for (let folder = own; folder !== dirname(folder); folder = dirname(folder)) {
    if (foldersOfClients.has(basename(folder))) return dirname(folder);
  }
  return own;
}
