import * as pulumi from "@pulumi/pulumi";
import { Isolation } from "../../runtime/config/schema/index.ts";
import { defaults } from "../defaults.ts";
import { InputError } from "../input-error.ts";
import { withoutUndefined } from "../without-undefined.ts";
import type { FleetContainerArgs } from "./container-args.ts";
import { checkedServer, type FleetSettings } from "./resolve.ts";

/** What the server host in a container is told, as under `servers` of a configuration file. Tools are the gateway's to filter. */
export function hostedServer(
  { type, version, isolation, timeouts, limits }: FleetSettings["common"],
  container: FleetContainerArgs,
  secrets: readonly string[],
): object {
  const { command, args, env, maxProcesses = defaults.maxProcesses } = container;
  const files = Object.fromEntries(secrets.map((name) => [name, `file:${defaults.secretsFolder}/${name}`]));
  const variables = { ...env, ...files };
  const process = {
    ...(command === undefined ? {} : { command, args }),
    ...(Object.keys(variables).length === 0 ? {} : { env: variables }),
  };
  return withoutUndefined({
    type,
    version,
    isolation: atHost(isolation),
    timeouts,
    limits,
    process: Object.keys(process).length === 0 ? undefined : process,
    scaling: { minInstances: 1, maxInstances: maxProcesses },
  });
}

/** A host sees the session that the gateway opens for each caller, not the caller. */
function atHost(isolation: unknown): unknown {
  if (pulumi.Output.isInstance(isolation)) return isolation.apply(atHost);
  return isolation === Isolation.Caller ? Isolation.Session : isolation;
}

/** What a gateway's configuration says of a fleet that the platform runs, besides where it is. */
export function reachedServer({ common }: FleetSettings): object {
  const { scaling, protocol: _, limits: __, ...rest } = common;
  const { minInstances } = (scaling ?? {}) as Readonly<Record<string, pulumi.Input<number> | undefined>>;
  // Without an instance the gateway would take it for lost, were it not meant to be at rest.
  return minInstances === 0 ? { ...rest, scaling: { minInstances } } : rest;
}

/** Both halves of a fleet's configuration, the gateway's and the server host's, as far as they are known. Throws InputError. */
export function checkFleet(settings: FleetSettings, secrets: readonly string[]): void {
  const { component, args, common } = settings;
  const { container = {}, limits, sandbox, tls } = args;
  if (tls !== undefined) {
    const fix = "remove it, or give endpoints or discovery";
    throw new InputError(component, [`tls is given, but the platform connects this fleet and its gateway; ${fix}`]);
  }
  if (sandbox !== undefined) {
    const fix = "remove it; its containers or services confine the server";
    throw new InputError(component, [`sandbox is given, but belongs to platform "process"; ${fix}`]);
  }
  checkedServer(component, { ...reachedServer(settings), endpoints: ["http://fleet/mcp"] });
  if (limits !== undefined && container.port !== undefined) {
    const fix = "remove it; the platform bounds what it runs";
    throw new InputError(component, [`limits is given, but the container's program listens itself; ${fix}`]);
  }
  if (container.port === undefined) checkedServer(component, hostedServer(common, container, secrets));
}
