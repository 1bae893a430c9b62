import pino from "pino";
import type { PlatformRequest, PlatformResponse } from "../../config/schema/index.ts";
import { messageOf } from "../../errors.ts";
import { terminalText } from "../../terminal-text.ts";
import { RolloutResource } from "../kubernetes/rollout-resource.ts";
import { PackageCache } from "../package-cache.ts";
import { ServiceManager } from "../systemd/service-manager.ts";
import { UnitsResource } from "../systemd/units-resource.ts";
import { FilesResource } from "./files-resource.ts";
import { FleetResource } from "./fleet-resource.ts";
import { GatewayResource } from "./gateway-resource.ts";
import type { Operation, PlatformResource, ResourceKind } from "./operations.ts";
import { systemProblem } from "./systems.ts";

const silent = pino({ level: "silent" });
/** Packages of presets on the `systemd` platform: written by root, read by the services' users. */
const machinePackages = "/var/cache/mcp-fleet";

/** Carries out one operation. Never rejects: what goes wrong is in the answer. `entry` is the file of the command. */
export async function operate(
  kind: ResourceKind,
  operation: Operation,
  request: unknown,
  entry: string,
  progress: (line: string) => void,
): Promise<PlatformResponse<unknown>> {
  try {
    const unsupported = kind === "fleet" || kind === "gateway" ? systemProblem() : undefined;
    if (unsupported !== undefined) return { ok: false, message: unsupported };
    // The components that send the request were checked against the same types.
    return await perform(resourceOf(kind, entry), operation, request as never, progress);
  } catch (error) {
    return { ok: false, message: terminalText(messageOf(error)) };
  }
}

function resourceOf(kind: ResourceKind, entry: string): PlatformResource<unknown, unknown> {
  const resources = {
    fleet: () => new FleetResource(new PackageCache({ log: silent }), entry),
    gateway: () => new GatewayResource(entry),
    files: () => new FilesResource(),
    rollout: () => new RolloutResource(),
    units: () =>
      new UnitsResource(new ServiceManager(), new PackageCache({ log: silent, folder: machinePackages, shared: true })),
  };
  return resources[kind]() as PlatformResource<unknown, unknown>;
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
      return resource.check(inputs, before as Partial<Inputs> | undefined, progress);
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
