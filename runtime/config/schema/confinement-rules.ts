import type { ConfigPath } from "./issue.ts";
import type { Server } from "./server.ts";

type Add = (field: ConfigPath, message: string, fix: string) => void;

/** What JSON Schema cannot say of what confines processes: there must be one that the gateway starts. */
/** What a sandbox has of its own, and what would show everything. */
export const isWithheld = (path: string): boolean => withheld.test(path);
const withheld = /^\/+(\.?\/+)*((proc|dev)(\/.*)?)?$|(^|\/)\.\.(\/|$)/;

export function confinementRules({ limits, sandbox, endpoints, discovery }: Server, add: Add): void {
  const { read = [], write = [] } = sandbox ?? {};
  for (const [key, paths] of Object.entries({ read, write })) {
    const index = paths.findIndex(isWithheld);
    const why = "which holds more than a server may see";
    if (index >= 0)
      add(["sandbox", key, index], `is "${paths[index]}", ${why}`, "name the folders that it needs, without ..");
  }
  if ((endpoints ?? discovery) === undefined) return;
  const fix = "remove it; set it where the server runs";
  for (const [key, block] of Object.entries({ limits, sandbox })) {
    if (block !== undefined) add([key], "is set for a server that something else runs", fix);
  }
}
