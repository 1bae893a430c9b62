import type { ConfigPath } from "./issue.ts";
import type { Server } from "./server.ts";

type Add = (field: ConfigPath, message: string, fix: string) => void;

/** What JSON Schema cannot say of what confines processes: there must be one that the gateway starts. */
export function confinementRules({ limits, sandbox, endpoints, discovery }: Server, add: Add): void {
  if ((endpoints ?? discovery) === undefined) return;
  const fix = "remove it; set it where the server runs";
  for (const [key, block] of Object.entries({ limits, sandbox })) {
    if (block !== undefined) add([key], "is set for a server that something else runs", fix);
  }
}
