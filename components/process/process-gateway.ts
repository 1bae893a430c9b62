import * as pulumi from "@pulumi/pulumi";
import type { Gateway, GatewayOwner } from "../../runtime/config/schema/index.ts";
import { fleetCommand } from "./command.ts";
import { processProvider } from "./provider.ts";

/** Inputs of `ProcessGateway`. */
export interface ProcessGatewayArgs {
  readonly name: string;
  readonly stateDirectory: string;
  readonly owner: GatewayOwner;
  readonly gateway: pulumi.Input<Gateway>;
  readonly fleets: pulumi.Input<string>[];
}

const provider = processProvider("gateway");

/** The gateway's daemon on this machine. */
export class ProcessGateway extends pulumi.dynamic.Resource {
  declare readonly url: pulumi.Output<string>;
  declare readonly status: pulumi.Output<string>;
  declare readonly pid: pulumi.Output<number>;

  constructor(name: string, args: ProcessGatewayArgs, opts: pulumi.CustomResourceOptions) {
    const outputs = { url: undefined, status: undefined, pid: undefined };
    super(provider, name, { ...args, ...outputs, command: { ...fleetCommand() } }, opts, "mcp-fleet", "ProcessGateway");
  }
}
