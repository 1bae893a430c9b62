import type * as pulumi from "@pulumi/pulumi";
import { type Gateway, issueText, validateGateway } from "../../runtime/config/schema/index.ts";
import { defaults, stateDirectory } from "../defaults.ts";
import { holdsOutputs } from "../holds-outputs.ts";
import { InputError } from "../input-error.ts";
import { type Platform, platformOf } from "../platform.ts";
import { withoutUndefined } from "../without-undefined.ts";
import type { MCPGatewayArgs } from "./args.ts";

/** A gateway's arguments, checked, with the platform's block taken apart. */
export interface GatewaySettings {
  readonly platform: Platform;
  readonly stateDirectory: string;
  /** The gateway as in a configuration file; may hold outputs. */
  readonly gateway: pulumi.Input<Gateway>;
}

/** Checks what can be checked now; what depends on outputs is checked when they are known. Throws InputError. */
export function resolveGateway(name: string, args: MCPGatewayArgs): GatewaySettings {
  const component = `MCPGateway "${name}"`;
  const { platform: given = defaults.platform, process, fleets, ...rest } = args;
  const platform = platformOf(component, given);
  if (fleets.length === 0)
    throw new InputError(component, ["fleets is an empty list; give at least one MCPServerFleet"]);
  const gateway = withoutUndefined(rest);
  const issues = holdsOutputs(gateway) ? [] : validateGateway(gateway);
  if (issues.length > 0) throw new InputError(component, issues.map(issueText));
  return {
    platform,
    stateDirectory: process?.stateDirectory ?? stateDirectory(),
    gateway: gateway as unknown as pulumi.Input<Gateway>,
  };
}
