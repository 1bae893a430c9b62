import type { ConfigPath } from "./issue.ts";
import { isExactVersion } from "./names.ts";
import type { Server } from "./server.ts";

const variable = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;

/** A preset runs one version of its package: also a rule for resolved references, in whose place a variable is taken before. */
export function exactVersionRule(
  { type, version }: Pick<Server, "type" | "version">,
  add: (field: ConfigPath, message: string, fix: string) => void,
): void {
  if (type === "custom" || version === undefined || isExactVersion(version) || variable.test(version)) return;
  const fix = "give one version like 1.2.3 or 1.2.3-beta.1; tags, ranges, aliases and paths can change what runs";
  add(["version"], `is ${JSON.stringify(version)}, which is no exact version`, fix);
}
