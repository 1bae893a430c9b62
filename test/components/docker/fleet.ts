import { fleetWorkloads } from "../../../components/docker/fleet-workload.ts";
import { dockerNames } from "../../../components/docker/names.ts";
import type { DockerWorkload } from "../../../components/docker/workload.ts";
import { type FleetSettings, resolveFleet } from "../../../components/fleet/resolve.ts";
import type { MCPServerFleetArgs } from "../../../index.ts";

export const names = dockerNames("mcp-fleet-test");

/** Settings of a fleet called `notes`: a command under the server host, unless the arguments say otherwise. */
export function notesSettings(args: Partial<MCPServerFleetArgs> = {}): FleetSettings {
  const container = { image: "notes:1", command: "notes" };
  return resolveFleet("notes", { platform: "docker", type: "custom", container, ...args });
}

/** Its containers. */
export const notes = (args: Partial<MCPServerFleetArgs> = {}): DockerWorkload[] =>
  fleetWorkloads(notesSettings(args), names);
