import * as pulumi from "@pulumi/pulumi";
import { type ConfigFile, issueText } from "../../runtime/config/schema/index.ts";
import { defaults as shared } from "../defaults.ts";
import { configIssues } from "../gateway/config-issues.ts";
import type { GatewaySettings } from "../gateway/resolve.ts";
import { InputError } from "../input-error.ts";
import type { GatewayAwsArgs } from "./args.ts";
import { awsDefaults as defaults } from "./defaults.ts";
import { hostHealthCommand } from "./health.ts";
import { gatewayNamespace } from "./metric-names.ts";
import { type TaskSize, taskSize } from "./task-size.ts";
import type { Workload } from "./workload.ts";

/** The variable that holds a gateway's secret. Names of secrets may have what names of variables may not. */
const variableOf = (index: number): string => `MCP_FLEET_SECRET_${index + 1}`;

/**
 * The text of a gateway's configuration file: its own settings, and every fleet as that fleet says it is reached. Secrets
 * are variables here instead of files. Checked as soon as everything in it is known; throws InputError then.
 */
export function gatewayConfig(
  { component, common, args }: GatewaySettings,
  redisUrl: pulumi.Input<string> | undefined,
): pulumi.Output<string> {
  const { scaling: _, ...settings } = common;
  const { host } = args.aws as GatewayAwsArgs;
  const fleets = args.fleets.map(({ serverName, configuration }) => ({ serverName, configuration }));
  const secrets = Object.keys(args.secrets ?? {});
  return pulumi.output({ settings, fleets, host, redisUrl }).apply((known) => {
    const { allowedHosts = [], ...own } = known.settings as Readonly<Record<string, unknown>>;
    const config = {
      gateway: {
        metricsLog: { namespace: gatewayNamespace(known.host) },
        ...own,
        host: "0.0.0.0",
        port: defaults.gatewayPort,
        allowedHosts: [...(allowedHosts as string[]), known.host],
        ...(known.redisUrl === undefined ? {} : { shared: { redis: known.redisUrl } }),
      },
      servers: Object.fromEntries(
        known.fleets.map(({ serverName, configuration }) => [serverName, JSON.parse(configuration as string)]),
      ),
    } as ConfigFile;
    const issues = configIssues(config);
    if (issues.length > 0) throw new InputError(component, issues.map(issueText));
    let text = JSON.stringify(config);
    for (const [index, name] of secrets.entries()) {
      text = text.replaceAll(`"file:${shared.secretsFolder}/${name}"`, JSON.stringify(`\${${variableOf(index)}}`));
    }
    return text;
  });
}

/** A gateway's tasks: the image of mcp-fleet with its configuration as a variable. */
export function gatewayWorkload(
  { component, name, tags, common, args }: GatewaySettings,
  config: pulumi.Input<string>,
): Workload {
  const { container, secrets = {} } = args;
  const size = taskSize(
    (container?.cpuMillicores as number | undefined) ?? defaults.gatewayCpuMillicores,
    (container?.memoryMiB as number | undefined) ?? defaults.gatewayMemoryMiB,
  ) as TaskSize;
  return {
    ...{ component, name, tags, size, role: "gateway", block: args.aws as GatewayAwsArgs },
    image: container?.image as pulumi.Input<string>,
    entryPoint: undefined,
    command: undefined,
    env: { MCP_FLEET_CONFIG_TEXT: config, MCP_FLEET_STATE_FOLDER: "/tmp/state", TMPDIR: "/tmp" },
    secretEnv: Object.fromEntries(Object.keys(secrets).map((secret, index) => [variableOf(index), secret])),
    port: defaults.gatewayPort,
    healthCommand: hostHealthCommand,
    stopSeconds: pulumi
      .output((common.drainMs as pulumi.Input<number> | undefined) ?? defaults.drainMs)
      .apply((ms) => Math.min(Math.ceil(ms / 1000) + defaults.stopMarginSeconds, defaults.longestStopSeconds)),
  };
}
