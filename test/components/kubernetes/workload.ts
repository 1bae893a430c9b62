import { resolveFleet } from "../../../components/fleet/resolve.ts";
import { fleetWorkload } from "../../../components/kubernetes/fleet-workload.ts";
import type { Workload } from "../../../components/kubernetes/workload.ts";
import type { MCPServerFleetArgs } from "../../../index.ts";

/** The workload of a fleet called `notes`: a command under the server host, unless the arguments say otherwise. */
export function notes(args: Partial<MCPServerFleetArgs> = {}): Workload {
  const container = { image: "notes:1", command: "notes" };
  return fleetWorkload(resolveFleet("notes", { platform: "kubernetes", type: "custom", container, ...args }));
}

export const selector = { "app.kubernetes.io/name": "mcp-notes", "app.kubernetes.io/component": "fleet" };
export const labels = {
  ...selector,
  "app.kubernetes.io/part-of": "mcp-fleet",
  "app.kubernetes.io/managed-by": "pulumi",
};
