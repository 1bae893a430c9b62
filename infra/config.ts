import * as pulumi from "@pulumi/pulumi";
import { InputError, type MCPGatewayArgs, type MCPServerFleetArgs } from "../index.ts";

/** What a stack's file may say under `mcp-fleet:`. */
export interface StackConfig {
  /** The gateway's arguments, without its fleets. */
  readonly gateway: Omit<MCPGatewayArgs, "fleets">;
  /** The fleets by name. */
  readonly fleets: Readonly<Record<string, MCPServerFleetArgs>>;
}

const known = ["gateway", "fleets"];

/** Reads the stack's configuration. Throws InputError for a key that nothing reads. */
export function readConfig(): StackConfig {
  const project = pulumi.getProject();
  const config = new pulumi.Config();
  const where = `stacks/Pulumi.${pulumi.getStack()}.yaml`;
  for (const key of Object.keys(pulumi.runtime.allConfig())) {
    const [namespace, name] = key.split(":", 2);
    if (namespace === project && !known.includes(name as string)) {
      throw new InputError(where, [
        `${key} is not a known key; known keys are ${known.map((one) => `${project}:${one}`).join(", ")}`,
      ]);
    }
  }
  const fleets = config.getObject<StackConfig["fleets"]>("fleets");
  if (fleets === undefined || Object.keys(fleets).length === 0) {
    throw new InputError(where, [
      `${project}:fleets is missing; name at least one fleet, such as context7: { type: context7 }`,
    ]);
  }
  return { gateway: config.getObject<StackConfig["gateway"]>("gateway") ?? {}, fleets };
}
