import type * as pulumi from "@pulumi/pulumi";
import { issueText, type Server, serverNamePattern, validateServer } from "../../runtime/config/schema/index.ts";
import { defaults, stateDirectory } from "../defaults.ts";
import { holdsOutputs } from "../holds-outputs.ts";
import { InputError } from "../input-error.ts";
import { type Platform, platformOf } from "../platform.ts";
import { withoutUndefined } from "../without-undefined.ts";
import type { MCPServerFleetArgs } from "./args.ts";

/** A fleet's arguments, checked, with the platform's block taken apart. */
export interface FleetSettings {
  readonly platform: Platform;
  readonly stateDirectory: string;
  /** The fleet as in a configuration file; may hold outputs. */
  readonly server: pulumi.Input<Server>;
}

/** Checks what can be checked now; what depends on outputs is checked when they are known. Throws InputError. */
export function resolveFleet(name: string, args: MCPServerFleetArgs): FleetSettings {
  const component = `MCPServerFleet "${name}"`;
  const { platform: given = defaults.platform, process, ...rest } = args;
  const platform = platformOf(component, given);
  if (!new RegExp(serverNamePattern).test(name)) {
    const fix = "use lower case letters, digits and hyphens, at most 32 characters";
    throw new InputError(component, [`the name becomes part of tool names and paths; ${fix}`]);
  }
  const { stateDirectory: folder = stateDirectory(), ...source } = process ?? {};
  const runs = withoutUndefined(source);
  const server = withoutUndefined({ ...rest, process: Object.keys(runs).length === 0 ? undefined : runs });
  const issues = holdsOutputs(server) ? [] : validateServer(server);
  if (issues.length > 0) throw new InputError(component, issues.map(issueText));
  return { platform, stateDirectory: folder, server: server as unknown as pulumi.Input<Server> };
}
