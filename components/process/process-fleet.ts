import * as pulumi from "@pulumi/pulumi";
import type { Server } from "../../runtime/config/schema/index.ts";
import { fleetCommand } from "./command.ts";
import { processProvider } from "./provider.ts";

/** Inputs of `ProcessFleet`. */
export interface ProcessFleetArgs {
  readonly name: string;
  readonly stateDirectory: string;
  readonly server: pulumi.Input<Server>;
}

const provider = processProvider("fleet");

/** A fleet on this machine: its configuration in the state folder, taken over by the gateway there. */
export class ProcessFleet extends pulumi.dynamic.Resource {
  declare readonly serverName: pulumi.Output<string>;
  declare readonly source: pulumi.Output<string>;

  constructor(name: string, args: ProcessFleetArgs, opts: pulumi.CustomResourceOptions) {
    const outputs = { serverName: args.name, source: undefined };
    super(provider, name, { ...args, ...outputs, command: { ...fleetCommand() } }, opts, "mcp-fleet", "ProcessFleet");
  }
}
