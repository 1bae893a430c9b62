import * as pulumi from "@pulumi/pulumi";
import type { FleetDeployment } from "../platforms.ts";
import { checkedServer, type FleetSettings } from "./resolve.ts";

/** A fleet that something else runs: the gateway reaches it where it is. Throws InputError. */
export function externalFleet({ component, name, common, args }: FleetSettings): FleetDeployment {
  const { scaling: _, ...rest } = common;
  const server = checkedServer(component, { ...rest, endpoints: args.endpoints });
  const first = pulumi.output(args.endpoints).apply((endpoints) => endpoints?.[0] ?? "");
  return {
    serverName: pulumi.output(name),
    source: pulumi.output(args.endpoints).apply((endpoints) => (endpoints ?? []).join(", ")),
    configuration: pulumi.jsonStringify(server),
    internalEndpoint: first,
    metricsTarget: pulumi.output(""),
  };
}
