import pino from "pino";
import type {
  PlatformRequest,
  PlatformResponse,
  ProcessFleetInputs,
  ProcessFleetOutputs,
  ProcessGatewayInputs,
  ProcessGatewayOutputs,
} from "../../config/schema/index.ts";
import { messageOf } from "../../errors.ts";
import { PackageCache } from "../package-cache.ts";
import { FleetResource } from "./fleet-resource.ts";
import { GatewayResource } from "./gateway-resource.ts";
import type { Operation, ResourceKind } from "./operations.ts";

/** Carries out one operation. Never rejects: what goes wrong is in the answer. `entry` is the file of the command. */
export async function operate(
  kind: ResourceKind,
  operation: Operation,
  request: unknown,
  entry: string,
  progress: (line: string) => void,
): Promise<PlatformResponse<unknown>> {
  try {
    return kind === "fleet"
      ? await fleet(operation, request as PlatformRequest<ProcessFleetInputs, ProcessFleetOutputs>, entry, progress)
      : await gateway(operation, request as PlatformRequest<ProcessGatewayInputs, ProcessGatewayOutputs>, entry);
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

function fleet(
  operation: Operation,
  { inputs, olds }: PlatformRequest<ProcessFleetInputs, ProcessFleetOutputs>,
  entry: string,
  progress: (line: string) => void,
): Promise<PlatformResponse<ProcessFleetOutputs>> {
  const resource = new FleetResource(new PackageCache({ log: pino({ level: "silent" }) }), entry);
  const before = olds as ProcessFleetOutputs;
  switch (operation) {
    case "check":
      return resource.check(inputs);
    case "diff":
      return resource.diff(inputs, before);
    case "create":
    case "update":
      return resource.put(inputs, progress);
    case "delete":
      return resource.remove(before);
    case "read":
      return resource.read(before);
  }
}

function gateway(
  operation: Operation,
  { inputs, olds }: PlatformRequest<ProcessGatewayInputs, ProcessGatewayOutputs>,
  entry: string,
): Promise<PlatformResponse<ProcessGatewayOutputs>> {
  const resource = new GatewayResource(entry);
  const before = olds as ProcessGatewayOutputs;
  switch (operation) {
    case "check":
      return resource.check(inputs);
    case "diff":
      return resource.diff(inputs, before);
    case "create":
      return resource.create(inputs);
    case "update":
      return resource.update(inputs, before);
    case "delete":
      return resource.remove(before);
    case "read":
      return resource.read(before);
  }
}
