import type { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import type { Fleet, FleetClient } from "./fleet.ts";

/**
 * One call to a fleet: resolves with the server's own reply, rejects with a FleetError when there is none. A result may
 * still be raw JSON text: a stage that looks into it uses the accessor of `protocol/json-rpc.ts`.
 */
export type FleetCall = (
  client: FleetClient,
  method: string,
  params: Params | undefined,
  exchange: Exchange,
) => Promise<RpcReply>;

/** Wraps the next stage of a fleet's pipeline; called once, when the fleet is made (its lists are read later). */
export type FleetStage = (next: FleetCall, fleet: Fleet) => FleetCall;

/** The pipeline of one fleet, outermost stage first. A stage that is off is not in the list, so it costs nothing. */
export function pipelineOf(stages: readonly FleetStage[], last: FleetCall, fleet: Fleet): FleetCall {
  return stages.reduceRight((next, stage) => stage(next, fleet), last);
}
