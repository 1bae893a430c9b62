import * as pulumi from "@pulumi/pulumi";
import { shownAddress } from "../../runtime/config/shown-source.ts";
import type { FleetDeployment } from "../platforms.ts";
import { checkedServer, type FleetSettings } from "./resolve.ts";

/** A fleet that something else runs: the gateway reaches it where it is. Throws InputError. */
export function externalFleet({ component, name, common, args }: FleetSettings): FleetDeployment {
  const server = checkedServer(component, { ...common, endpoints: args.endpoints });
  const { endpoints, discovery } = args;
  const listed = pulumi
    .output({ endpoints, known: discovery?.static })
    .apply((given) => given.endpoints ?? (given.known ?? []).map(({ url }) => url));
  const found = Object.keys(discovery ?? {}).filter((way) => way !== "static");
  return {
    serverName: pulumi.output(name),
    source: listed.apply((urls) => [...urls.map(shownAddress), ...found].join(", ")),
    configuration: pulumi.jsonStringify(server),
    internalEndpoint: listed.apply(([first = ""]) => first),
    metricsTarget: pulumi.output(""),
  };
}
