import * as pulumi from "@pulumi/pulumi";
import { conditionIssues } from "../../runtime/config/schema/conditions.ts";
import { type Gateway, issueText, validateGateway } from "../../runtime/config/schema/index.ts";
import { defaults } from "../defaults.ts";
import { holdsOutputs } from "../holds-outputs.ts";
import { InputError } from "../input-error.ts";
import { laterInGateway } from "../plain-fields.ts";
import { Platform, platformOf, refuseForeignBlocks } from "../platform.ts";
import { withoutUndefined } from "../without-undefined.ts";
import type { MCPGatewayArgs } from "./args.ts";

/** A gateway's arguments, checked as far as they are the same on every platform. */
export interface GatewaySettings {
  /** The component as errors name it: `MCPGateway "gateway"`. */
  readonly component: string;
  readonly name: string;
  readonly platform: Platform;
  /** Labels or tags of every resource. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
  /** What belongs in a configuration file on every platform; may hold outputs. */
  readonly common: Readonly<Record<string, unknown>>;
  /** The arguments as given, for the fleets and the platform's own block. */
  readonly args: MCPGatewayArgs;
}

/** Checks what is the same on every platform, and can be checked now. Throws InputError. */
export function resolveGateway(name: string, args: MCPGatewayArgs): GatewaySettings {
  const component = `MCPGateway "${name}"`;
  const platform = platformOf(component, args.platform ?? defaults.platform);
  refuseForeignBlocks(component, platform, args);
  const later = laterInGateway(platform, args);
  if (later.length > 0) throw new InputError(component, later);
  if (args.fleets.length === 0)
    throw new InputError(component, ["fleets is an empty list; give at least one MCPServerFleet"]);
  const notCommon = new Set<string>(["platform", "tags", "fleets", "container", "secrets", ...Object.values(Platform)]);
  const common = withoutUndefined(Object.fromEntries(Object.entries(args).filter(([key]) => !notCommon.has(key))));
  if (args.workers !== undefined) common.workers = workersOf(args.workers);
  return { component, name, platform, tags: args.tags ?? {}, common, args };
}

/** A number of workers is a number in a configuration file; here it is a text, because it may also be `auto`. */
function workersOf(workers: pulumi.Input<string>): pulumi.Input<string | number> {
  const read = (text: string) => (/^\d+$/.test(text) ? Number(text) : text);
  return typeof workers === "string" ? read(workers) : pulumi.output(workers).apply((text) => read(String(text)));
}

/**
 * The gateway as a configuration file says it, checked now, or by the platform when it depends on outputs. Throws
 * InputError.
 */
export function checkedGateway(component: string, gateway: object): pulumi.Input<Gateway> {
  const given = withoutUndefined(gateway);
  const known = holdsOutputs(given) ? [] : validateGateway(given);
  const issues = [...known, ...conditionIssues(given)];
  if (issues.length > 0) throw new InputError(component, issues.map(issueText));
  return given as unknown as pulumi.Input<Gateway>;
}
