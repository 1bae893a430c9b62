import type * as pulumi from "@pulumi/pulumi";
import { MCPGateway, MCPServerFleet } from "../index.ts";
import type { StackConfig } from "./config.ts";

/** What a stack makes: its fleets, in the order of its file, and the gateway that serves them. */
export interface Deployed {
  readonly fleets: ReadonlyMap<string, MCPServerFleet>;
  readonly gateway: MCPGateway;
}

/** Makes what a stack's configuration says. */
export async function deploy({ fleets, gateway, namespace }: StackConfig): Promise<Deployed> {
  let made: pulumi.Output<string> | undefined;
  if (namespace !== undefined) {
    // Loads the provider's SDK, which stacks without a namespace do not need.
    const { restrictedNamespace } = await import("./namespace.ts");
    made = restrictedNamespace(namespace);
  }
  // Arguments wait for the stack's namespace, where they name it.
  const within = <Args extends { kubernetes?: { namespace?: pulumi.Input<string> } }>(args: Args): Args =>
    made !== undefined && args.kubernetes?.namespace === namespace
      ? { ...args, kubernetes: { ...args.kubernetes, namespace: made } }
      : args;
  const deployed = new Map(
    Object.entries(fleets).map(([name, args]) => [name, new MCPServerFleet(name, within(args))] as const),
  );
  return {
    fleets: deployed,
    gateway: new MCPGateway("gateway", { ...within(gateway), fleets: [...deployed.values()] }),
  };
}
