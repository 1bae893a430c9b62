import * as pulumi from "@pulumi/pulumi";
import { fleetCommand } from "./command.ts";
import { processProvider } from "./provider.ts";

/** Inputs of `ProcessFiles`. */
export interface ProcessFilesArgs {
  readonly folder: string;
  /** Name to content. */
  readonly files: Readonly<Record<string, pulumi.Input<string>>>;
}

const provider = processProvider("files");

/** Files in a folder of this machine that nobody else writes. */
export class ProcessFiles extends pulumi.dynamic.Resource {
  declare readonly folder: pulumi.Output<string>;

  constructor(name: string, args: ProcessFilesArgs, opts: pulumi.CustomResourceOptions) {
    super(provider, name, { ...args, command: { ...fleetCommand() } }, opts, "mcp-fleet", "ProcessFiles");
  }
}
