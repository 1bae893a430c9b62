import type { GatewayOwner, ProcessGatewayInputs } from "../../config/schema/index.ts";
import type { StateFolder } from "./state-folder.ts";

/** Whose state folder it is: the gateway that was brought up in it last. Written once it serves. */
export interface FolderOwner extends GatewayOwner {
  /** Name of the gateway. */
  readonly gateway: string;
  /** Fleets that it was given. */
  readonly fleets: readonly string[];
}

/** Undefined for a folder without a gateway, or with one of an earlier version. */
export function ownerOf(state: StateFolder): FolderOwner | undefined {
  return state.read(state.ownerFile) as FolderOwner | undefined;
}

/** Is it another gateway's, by the names of stack and gateway? Nobody knows where one of the two is of an earlier version. */
export function isOfAnother(owner: FolderOwner | undefined, { name, owner: mine }: ProcessGatewayInputs): boolean {
  if (owner === undefined || mine === undefined) return false;
  return (
    owner.gateway !== name || (["organization", "project", "stack"] as const).some((key) => owner[key] !== mine[key])
  );
}

/** Why a gateway cannot have a folder in which that of another runs. */
export function takenReason(folder: string, { gateway, stack, project, program }: FolderOwner, pid: number): string {
  const whose = `gateway "${gateway}" of stack "${stack}" of project "${project}" in ${program}`;
  const fix = "give this one a folder of its own (process.stateDirectory, MCP_FLEET_STATE), or destroy the other first";
  return `in the state folder ${folder} runs the ${whose} (process ${pid}); ${fix}`;
}
