import type { ConfigPath } from "./issue.ts";
import type { Server } from "./server.ts";

type Add = (field: ConfigPath, message: string, fix: string) => void;

/** What JSON Schema cannot say of bounds on processes: there must be one that the gateway starts. */
export function confinementRules({ limits, endpoints, discovery }: Server, add: Add): void {
  if ((endpoints ?? discovery) === undefined) return;
  const fix = "remove it; set it where the server runs";
  if (limits !== undefined) add(["limits"], "is set for a server that something else runs", fix);
}
