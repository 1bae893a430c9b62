import type { ResolvedServer } from "../config/index.ts";
import { isExactVersion } from "../config/schema/index.ts";
import { shownSource } from "../config/shown-source.ts";
import { FleetError } from "../errors.ts";
import { findCommand } from "./find-command.ts";
import type { PackageCache } from "./package-cache.ts";
import { type Machine, presets } from "./presets.ts";
import type { ProcessSpec } from "./process-driver.ts";

/** The part of a server that says what to run. */
export type ProcessServer = Pick<
  ResolvedServer,
  "name" | "type" | "version" | "process" | "endpoints" | "discovery" | "limits" | "sandbox"
> & { readonly source?: string };

const browsers = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const macBrowser = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/** Where a server's instances come from, for people: the package of a preset, or a command or addresses without secrets. */
export function sourceOf(server: ProcessServer): string {
  const { type, version, source = shownSource(server) } = server;
  const reached = type === "custom" || server.endpoints !== undefined || server.discovery !== undefined;
  return reached ? source : `${presets[type].package}@${version ?? presets[type].version}`;
}

/** The package behind a server of a preset. Throws CONFIG_INVALID for a version that is not exact, as a reference can bring it. */
export function packageOf({
  name,
  type,
  version,
}: Pick<ProcessServer, "name" | "type" | "version">): { name: string; version: string } | undefined {
  if (type === "custom") return undefined;
  const preset = presets[type];
  if (version === undefined || isExactVersion(version))
    return { name: preset.package, version: version ?? preset.version };
  const field = name === "" ? "version" : `servers.${name}.version`;
  const text = `${field}: is no exact version; give one like ${preset.version}, without tags and ranges`;
  throw new FleetError("CONFIG_INVALID", text);
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
    ...{ fleet: name, command: process.execPath, args: [installed.bin(bin), ...args(thisMachine())], env: {} },
    ...{ limits, sandbox, parts: [installed.root] },
  };
}

function thisMachine(): Machine {
  const path = `${process.env.PATH ?? ""}:/usr/bin:/usr/local/bin:/snap/bin`;
  const found = [...browsers, macBrowser]
    .map((browser) => findCommand(browser, path, "/"))
    .find((browser) => browser !== undefined);
  return { root: process.getuid?.() === 0, browser: found };
}
