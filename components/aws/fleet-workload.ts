import * as pulumi from "@pulumi/pulumi";
import { hostedServer } from "../fleet/hosted-server.ts";
import type { FleetSettings } from "../fleet/resolve.ts";
import { holdsOutputs } from "../holds-outputs.ts";
import type { FleetAwsArgs } from "./args.ts";
import { awsDefaults as defaults } from "./defaults.ts";
import { hostHealthCommand } from "./health.ts";
import { type TaskSize, taskSize } from "./task-size.ts";
import type { Workload } from "./workload.ts";

/** A fleet's tasks: a server on its standard streams under the server host, or an image that speaks HTTP itself. */
export function fleetWorkload({ component, name, tags, common, args }: FleetSettings): Workload {
  const { container = {}, scaling } = args;
  const { command, args: given, cpuMillicores, memoryMiB, secretEnv = {} } = container;
  const hosted = container.port === undefined;
  const size = taskSize(
    (cpuMillicores as number | undefined) ?? defaults.fleetCpuMillicores,
    (memoryMiB as number | undefined) ?? defaults.fleetMemoryMiB,
  ) as TaskSize;
  return {
    ...{ component, name, tags, size, role: "fleet", block: args.aws as FleetAwsArgs },
    image: container.image as pulumi.Input<string>,
    entryPoint: hosted || command === undefined ? undefined : [command],
    command: hosted ? undefined : given,
    env: hosted
      ? hostEnv(name, hostedServer(common, withReferences(container), []), scaling?.targetInFlight !== undefined)
      : (container.env ?? {}),
    secretEnv: Object.fromEntries(Object.keys(secretEnv).map((key) => [key, key])),
    port: container.port ?? defaults.hostPort,
    healthCommand: hosted ? hostHealthCommand : undefined,
    stopSeconds: Math.ceil(defaults.drainMs / 1000) + defaults.stopMarginSeconds,
  };
}

/** The server gets its secrets from the host's environment, by references: ECS has no files of secrets. */
function withReferences(container: NonNullable<FleetSettings["args"]["container"]>) {
  const names = Object.keys(container.secretEnv ?? {});
  const references = Object.fromEntries(names.map((name) => [name, `\${${name}}`]));
  return names.length === 0 ? container : { ...container, env: { ...container.env, ...references } };
}

/** The server host's environment. Only gateways reach it, by the fleet's security group. */
function hostEnv(name: string, server: object, logsLoad: boolean): Record<string, pulumi.Input<string>> {
  return {
    MCP_SERVER_NAME: name,
    MCP_SERVER: holdsOutputs(server) ? pulumi.jsonStringify(server) : JSON.stringify(server),
    MCP_FLEET_HOST: "0.0.0.0",
    MCP_FLEET_PORT: String(defaults.hostPort),
    MCP_FLEET_ALLOW_ANONYMOUS: "true",
    TMPDIR: "/tmp",
    ...(logsLoad ? { MCP_FLEET_LOAD_LOG_SECONDS: String(defaults.loadLogSeconds) } : {}),
  };
}
