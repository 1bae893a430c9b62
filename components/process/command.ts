import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** How to run the `mcp-fleet` command of this package. */
export interface FleetCommand {
  /** The Node.js that runs the program. */
  readonly node: string;
  /** The command's file. */
  readonly entry: string;
}

/** The command beside these components: built, or in a checkout that was never built its source. */
export function fleetCommand(): FleetCommand {
  let root = import.meta.dirname;
  while (!existsSync(join(root, "package.json"))) root = dirname(root);
  const built = join(root, "dist", "runtime", "cli", "main.js");
  const entry = existsSync(built) ? built : join(root, "runtime", "cli", "main.ts");
  return { node: process.execPath, entry };
}
