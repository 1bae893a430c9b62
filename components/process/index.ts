import * as pulumi from "@pulumi/pulumi";
import { childOf } from "../child-of.ts";
import { isExternal } from "../fleet/external.ts";
import { checkedServer } from "../fleet/resolve.ts";
import { externalScaling } from "../fleet/scaling-rules.ts";
import { checkedGateway } from "../gateway/resolve.ts";
import { InputError } from "../input-error.ts";
import type { PlatformComponents } from "../platforms.ts";
import { withoutUndefined } from "../without-undefined.ts";
import { folderProblems, noteFleet } from "./folders.ts";
import { ProcessFleet } from "./process-fleet.ts";
import { ProcessGateway } from "./process-gateway.ts";
import { gatewayOwner, stateDirectory } from "./state-directory.ts";

/** A fleet whose instances the gateway's daemon on this machine runs itself. Nothing here can be tagged. */
export const fleet: PlatformComponents["fleet"] = (parent, name, { component, common, args }) => {
  const problems = isExternal(args) ? externalScaling(args) : [];
  if (problems.length > 0) throw new InputError(component, problems);
  const { stateDirectory: folder = stateDirectory(), ...source } = args.process ?? {};
  const runs = withoutUndefined(source);
  const process = Object.keys(runs).length === 0 ? undefined : runs;
  const server = checkedServer(component, { ...common, process, endpoints: args.endpoints });
  const inputs = { name, stateDirectory: folder, server };
  noteFleet(parent, name, folder);
  const deployed = new ProcessFleet(`${name}-fleet`, inputs, childOf(parent)());
  return {
    serverName: deployed.serverName,
    source: deployed.source,
    configuration: pulumi.jsonStringify(server),
    internalEndpoint: pulumi.output(""),
    metricsTarget: pulumi.output(""),
  };
};

/** The gateway's daemon on this machine. */
export const gateway: PlatformComponents["gateway"] = (parent, name, { component, common, args }) => {
  const folder = args.process?.stateDirectory ?? stateDirectory();
  const problems = folderProblems(name, folder, args.fleets);
  if (problems.length > 0) throw new InputError(component, problems);
  const inputs = {
    name,
    stateDirectory: folder,
    owner: gatewayOwner(),
    gateway: checkedGateway(component, common),
    fleets: args.fleets.map(({ serverName }) => serverName),
  };
  const { url, status } = new ProcessGateway(`${name}-gateway`, inputs, childOf(parent)());
  return { url, internalUrl: url, status };
};
