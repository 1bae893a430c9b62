import type * as pulumi from "@pulumi/pulumi";
import {
  type AwsEnvironmentArgs,
  MCPGateway,
  MCPNetwork,
  MCPServerFleet,
  MonitoringStack,
  Platform,
} from "../index.ts";
import type { StackConfig } from "./config.ts";

/** What a stack makes: its fleets, in the order of its file, the gateway that serves them, and what watches it. */
export interface Deployed {
  readonly fleets: ReadonlyMap<string, MCPServerFleet>;
  readonly gateway: MCPGateway;
  readonly monitoring: MonitoringStack | undefined;
}

/** What says where a component is. */
interface Placed {
  readonly platform?: string;
  readonly endpoints?: unknown;
  readonly aws?: { readonly environment?: AwsEnvironmentArgs };
  readonly kubernetes?: { readonly namespace?: pulumi.Input<string> };
}

/** Is it to run on AWS, and names no network of its own? */
const needsNetwork = ({ platform, endpoints, aws }: Placed): boolean =>
  platform === Platform.Aws && endpoints === undefined && aws?.environment === undefined;

/** Makes what a stack's configuration says. */
export async function deploy({ fleets, gateway, monitoring, namespace, network }: StackConfig): Promise<Deployed> {
  let made: pulumi.Output<string> | undefined;
  if (namespace !== undefined) {
    // Loads the provider's SDK, which stacks without a namespace do not need.
    const { restrictedNamespace } = await import("./namespace.ts");
    made = restrictedNamespace(namespace);
  }
  const homeless = [gateway, ...Object.values(fleets)].some(needsNetwork);
  const environment = homeless ? new MCPNetwork("network", network) : undefined;
  // Arguments wait for the stack's namespace, where they name it, and for its network, where they name no other.
  const named = <Args extends Pick<Placed, "kubernetes">>(args: Args): Args =>
    made !== undefined && args.kubernetes?.namespace === namespace
      ? { ...args, kubernetes: { ...args.kubernetes, namespace: made } }
      : args;
  const within = <Args extends Placed>(args: Args): Args =>
    needsNetwork(args) ? { ...args, aws: { ...args.aws, environment } } : named(args);
  const deployed = new Map(
    Object.entries(fleets).map(([name, args]) => [name, new MCPServerFleet(name, within(args))] as const),
  );
  // An alarm tells before the gateway's certificate ends, where the stack has been given one.
  const { certificateArn } = gateway.aws ?? {};
  const watching = <Args extends NonNullable<typeof monitoring>>(args: Args): Args =>
    args.platform === Platform.Aws && certificateArn !== undefined
      ? { ...args, aws: { certificateArn, ...args.aws } }
      : named(args);
  const front = new MCPGateway("gateway", { ...within(gateway), fleets: [...deployed.values()] });
  return {
    fleets: deployed,
    gateway: front,
    monitoring:
      monitoring === undefined
        ? undefined
        : new MonitoringStack("monitoring", { ...watching(monitoring), gateway: front }),
  };
}
