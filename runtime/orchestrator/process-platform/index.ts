import pino from "pino";
import type { PlatformRequest, PlatformResponse } from "../../config/schema/index.ts";
import { messageOf } from "../../errors.ts";
import { PackageCache } from "../package-cache.ts";
import { FleetResource } from "./fleet-resource.ts";
import { GatewayResource } from "./gateway-resource.ts";
import type { Operation, PlatformResource, ResourceKind } from "./operations.ts";

/** Carries out one operation. Never rejects: what goes wrong is in the answer. `entry` is the file of the command. */
export async function operate(
  kind: ResourceKind,
  operation: Operation,
  request: unknown,
  entry: string,
  progress: (line: string) => void,
): Promise<PlatformResponse<unknown>> {
  const resource =
    kind === "fleet"
      ? new FleetResource(new PackageCache({ log: pino({ level: "silent" }) }), entry)
      : new GatewayResource(entry);
  try {
    // The components that send the request were checked against the same types.
    return await perform(resource as PlatformResource<unknown, unknown>, operation, request as never, progress);
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

function perform<Inputs, Outputs>(
  resource: PlatformResource<Inputs, Outputs>,
  operation: Operation,
  { inputs, olds }: PlatformRequest<Inputs, Outputs>,
  progress: (line: string) => void,
): Promise<PlatformResponse<Outputs>> {
  const before = olds as Outputs;
  switch (operation) {
    case "check":
      return resource.check(inputs);
    case "diff":
      return resource.diff(inputs, before);
    case "create":
      return resource.create(inputs, progress);
    case "update":
      return resource.update(inputs, before, progress);
    case "delete":
      return resource.delete(before);
    case "read":
      return resource.read(before);
  }
}
