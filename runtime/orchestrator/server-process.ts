import type { ResolvedServer } from "../config/index.ts";
import { findCommand } from "./find-command.ts";
import type { PackageCache } from "./package-cache.ts";
import { type Machine, presets } from "./presets.ts";
import type { ProcessSpec } from "./process-driver.ts";
import type { SandboxedServer } from "./sandbox-plan.ts";

/** The part of a server that says what to run. */
export type ProcessServer = Pick<
  ResolvedServer,
  "name" | "type" | "version" | "process" | "endpoints" | "limits" | "sandbox"
>;

const browsers = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const macBrowser = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/** Where a server's instances come from, for people. */
export function sourceOf({ type, version, process, endpoints }: ProcessServer): string {
  if (type !== "custom") return `${presets[type].package}@${version ?? presets[type].version}`;
  return process === undefined ? (endpoints ?? []).join(", ") : [process.command, ...(process.args ?? [])].join(" ");
}

/** The package behind a server of a preset. */
export function packageOf({ type, version }: ProcessServer): { name: string; version: string } | undefined {
  return type === "custom" ? undefined : { name: presets[type].package, version: version ?? presets[type].version };
}

/** What to run for one instance; installs a preset's package first when it is not there. */
export async function processSpecFor(
  server: ProcessServer,
  packages: PackageCache,
  onProgress: (line: string) => void,
): Promise<ProcessSpec> {
  const { name, type, process: custom, limits, sandbox } = server;
  const wanted = packageOf(server);
  if (type === "custom" || wanted === undefined) {
    if (custom === undefined) throw new Error(`${name} has no process`);
    const { command, args = [], env = {}, cwd } = custom;
    return { fleet: name, command, args, env, cwd, limits, sandbox };
  }
  const { bin, args } = presets[type];
  const installed = await packages.ensure(wanted.name, wanted.version, onProgress);
  // The server's own file under this very Node.js: no shell, no npx, nothing looked up at call time.
  return {
    ...{
      fleet: name,
      command: process.execPath,
      args: [installed.bin(bin), ...args(thisMachine(sandbox !== undefined))],
      env: {},
    },
    ...{ limits, sandbox, parts: [installed.root] },
  };
}

/** The servers of a configuration that run in a sandbox, as far as that is known before a package is installed. */
export function sandboxedServers(servers: readonly ProcessServer[]): SandboxedServer[] {
  return servers.flatMap(({ name, process: custom, sandbox }) => {
    if (sandbox === undefined) return [];
    const { command = process.execPath, env, cwd } = custom ?? {};
    return [{ name, sandbox, command, path: env?.PATH ?? process.env.PATH ?? "", cwd, parts: [] }];
  });
}

function thisMachine(sandbox: boolean): Machine {
  const path = `${process.env.PATH ?? ""}:/usr/bin:/usr/local/bin:/snap/bin`;
  const found = [...browsers, macBrowser]
    .map((browser) => findCommand(browser, path, "/"))
    .find((browser) => browser !== undefined);
  return { ownSandbox: process.getuid?.() !== 0 && !sandbox, browser: found };
}
