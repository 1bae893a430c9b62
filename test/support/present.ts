import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../../runtime/orchestrator/find-command.ts";
import { image } from "./docker.ts";
import { engineFolder } from "./engine-folder.ts";

const found = (command: string) => findCommand(command, process.env.PATH ?? "", process.cwd()) !== undefined;

/** Does this command end well? */
function succeeds(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Are these modules installed for `$MCP_PYTHON`? Looked up, not loaded: that would take seconds. */
function pythonHas(...modules: string[]): boolean {
  if (process.env.MCP_PYTHON === undefined) return false;
  const program = "import sys, importlib.util as u; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))";
  try {
    execFileSync(process.env.MCP_PYTHON, ["-c", program, ...modules], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const present = {
  "a Pulumi engine": () => found("pulumi") || existsSync(join(engineFolder, ".built")),
  "the Python client (MCP_PYTHON)": () => pythonHas("mcp"),
  "the Python clients and servers": () =>
    pythonHas("mcp", "fastmcp", "mcp_server_time", "mcp_server_git", "mcp_server_fetch"),
  "mcp-remote (MCP_REMOTE)": () => process.env.MCP_REMOTE !== undefined,
  "Pulumi's Python SDK (MCP_PYTHON)": () => pythonHas("pulumi", "parver"),
  "promtool and amtool": () => found("promtool") && found("amtool"),
  "systemd-analyze and systemd-socket-activate": () => found("systemd-analyze") && found("systemd-socket-activate"),
  "root, and systemd for the first process of a namespace": () =>
    process.getuid?.() === 0 &&
    existsSync("/lib/systemd/systemd") &&
    succeeds("unshare", "--pid", "--mount", "--fork", "true"),
  "bubblewrap (and a kernel that lets it)": () => succeeds("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"),
  "redis-server": () => found("redis-server"),
  "Chromium or Chrome": () => ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].some(found),
  "a Docker engine with the image (npm run image)": () => succeeds("docker", "image", "inspect", image),
  "moto, for AWS's interface (MOTO_PYTHON)": () => process.env.MOTO_PYTHON !== undefined,
  "kubernetes-validate and checkov (MANIFEST_PYTHON)": () => process.env.MANIFEST_PYTHON !== undefined,
  "a Kubernetes cluster (test/engines/engines up kubernetes)": () =>
    succeeds(join(import.meta.dirname, "../engines/engines"), "status", "kubernetes"),
};
export type Need = keyof typeof present;

/** Does this machine have it? */
export const has = (need: Need): boolean => present[need]();
