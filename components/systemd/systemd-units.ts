import * as pulumi from "@pulumi/pulumi";
import type { SystemdUnitsInputs } from "../../runtime/config/schema/index.ts";
import { fleetCommand } from "../process/command.ts";
import { processProvider } from "../process/provider.ts";

const provider = processProvider("units");

/** The units of one component on this machine: written, started, and after a change started anew one after the other. */
export class SystemdUnits extends pulumi.dynamic.Resource {
  declare readonly source: pulumi.Output<string>;
  declare readonly status: pulumi.Output<string>;

  constructor(
    name: string,
    args: pulumi.Inputs & Record<keyof SystemdUnitsInputs, unknown>,
    opts: pulumi.CustomResourceOptions,
  ) {
    const command = { ...fleetCommand() };
    super(provider, name, { ...args, status: undefined, command }, opts, "mcp-fleet", "SystemdUnits");
  }
}

/** The program that services run: the user's own, or the command of this package. */
export function serviceProgram(program: string | undefined): string[] {
  if (program !== undefined) return [program];
  const { node, entry } = fleetCommand();
  return [node, entry];
}
