import { homedir } from "node:os";
import { join } from "node:path";

const engines = process.env.ENGINES_HOME ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "engines");

/** Where the engines kit has put the Pulumi engine that it builds. */
export const engineFolder = join(engines, "pulumi/bin");
