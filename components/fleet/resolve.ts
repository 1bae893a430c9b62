import type * as pulumi from "@pulumi/pulumi";
import { issueText, type Server, serverNamePattern, validateServer } from "../../runtime/config/schema/index.ts";
import { defaults } from "../defaults.ts";
import { holdsOutputs } from "../holds-outputs.ts";
import { InputError } from "../input-error.ts";
import { laterInFleet } from "../plain-fields.ts";
import { Platform, platformOf, refuseForeignBlocks } from "../platform.ts";
import { withoutUndefined } from "../without-undefined.ts";
import type { MCPServerFleetArgs } from "./args.ts";

/** A fleet's arguments, checked as far as they are the same on every platform. */
export interface FleetSettings {
  /** The component as errors name it: `MCPServerFleet "context7"`. */
  readonly component: string;
  readonly name: string;
  readonly platform: Platform;
  /** Labels or tags of every resource. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
  /** What belongs in a configuration file on every platform: all but the source of the instances. May hold outputs. */
  readonly common: Readonly<Record<string, unknown>>;
  /** The arguments as given, for the platform's own block. */
  readonly args: MCPServerFleetArgs;
}

/** Checks what is the same on every platform, and can be checked now. Throws InputError. */
export function resolveFleet(name: string, args: MCPServerFleetArgs): FleetSettings {
  const component = `MCPServerFleet "${name}"`;
  const platform = platformOf(component, args.platform ?? defaults.platform);
  refuseForeignBlocks(component, platform, args);
  if (!new RegExp(serverNamePattern).test(name)) {
    const fix =
      "use lower case letters, digits and hyphens, at most 32 characters, beginning and ending with a letter or digit";
    throw new InputError(component, [`the name becomes part of tool names and paths; ${fix}`]);
  }
  const later = laterInFleet(platform, args);
  if (later.length > 0) throw new InputError(component, later);
  const notCommon = new Set<string>(["platform", "tags", "container", "endpoints", ...Object.values(Platform)]);
  const common = withoutUndefined(Object.fromEntries(Object.entries(args).filter(([key]) => !notCommon.has(key))));
  return { component, name, platform, tags: args.tags ?? {}, common, args };
}

/**
 * The fleet as a configuration file says it, checked now, or by the platform when it depends on outputs. Throws
 * InputError.
 */
export function checkedServer(component: string, server: object): pulumi.Input<Server> {
  const given = withoutUndefined(server);
  const issues = holdsOutputs(given) ? [] : validateServer(given);
  if (issues.length > 0) throw new InputError(component, issues.map(issueText));
  return given as unknown as pulumi.Input<Server>;
}
