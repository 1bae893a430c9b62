import type * as pulumi from "@pulumi/pulumi";
import { issueText, validateAgainst } from "../../runtime/config/schema/index.ts";
import { defaults as shared } from "../defaults.ts";
import type { MCPServerFleetArgs } from "../fleet/args.ts";
import { containerProblems } from "../fleet/container-rules.ts";
import { externalProblems, isExternal } from "../fleet/external.ts";
import type { MCPGatewayArgs } from "../gateway/args.ts";
import { containerFileProblems } from "../gateway/container-files.ts";
import { boundsProblems } from "../instance-bounds.ts";
import { knownPart } from "../known-part.ts";
import { Platform } from "../platform.ts";
import type { AwsTaskArgs } from "./args.ts";
import { fleetBlocks, gatewayBlocks } from "./block-schema.ts";
import { awsDefaults as defaults } from "./defaults.ts";
import { deploymentProblems } from "./deployment.ts";
import { fleetNameProblems, gatewayNameProblems } from "./name-rules.ts";
import { taskSize } from "./task-size.ts";

/** Every mistake in a fleet's arguments for this platform: field, value, fix. */
export function fleetProblems(name: string, args: MCPServerFleetArgs): string[] {
  const { tags, container, scaling, aws, type } = args;
  const problems = validateAgainst(fleetBlocks, knownPart({ tags, container, scaling, aws })).map(issueText);
  if (problems.length > 0) return problems;
  if (isExternal(args)) return externalProblems(Platform.Aws, args);
  problems.push(...fleetNameProblems(name));
  const imageFix = "give an image in a registry that ECS can reach, such as ECR";
  problems.push(...containerProblems({ type, container }, imageFix));
  if (container?.healthPath !== undefined) {
    const fix = "give the image a HEALTHCHECK, and remove container.healthPath";
    problems.push(`container.healthPath is given, but nothing outside an ECS task asks a fleet; ${fix}`);
  }
  if (scaling?.minInstances === 0) {
    problems.push("scaling.minInstances is 0, but nothing on ECS would start the first task of a call; give 1");
  }
  if (scaling?.targetInFlight !== undefined && container?.port !== undefined) {
    const fix = "remove it, or run the server under the server host: container.command instead of container.port";
    problems.push(`scaling.targetInFlight is given, but only the server host counts calls in flight; ${fix}`);
  }
  return [
    ...problems,
    ...boundsProblems(
      scaling?.minInstances ?? defaults.fleetMinInstances,
      scaling?.maxInstances ?? defaults.fleetMaxInstances,
    ),
    ...sizeProblems(container, defaults.fleetCpuMillicores, defaults.fleetMemoryMiB),
    ...environmentProblems(aws),
  ];
}

/** The same of a gateway. */
export function gatewayProblems(name: string, args: MCPGatewayArgs): string[] {
  const { tags, container, scaling, secrets, aws, auth, session } = args;
  const problems = validateAgainst(gatewayBlocks, knownPart({ tags, container, scaling, secrets, aws })).map(issueText);
  if (problems.length > 0) return problems;
  problems.push(...gatewayNameProblems(name));
  if (container?.image === undefined) {
    problems.push(
      "container.image is missing; give the image of mcp-fleet in a registry that ECS can reach, such as ECR",
    );
  }
  for (const key of ["host", "port"] as const) {
    if (args[key] === undefined) continue;
    problems.push(`${key} is given, but tasks listen at ${defaults.gatewayPort}; remove it (clients call aws.host)`);
  }
  const reference = `file:${shared.secretsFolder}/NAME`;
  if (auth === undefined) {
    problems.push(`auth is missing, and others reach the gateway; add auth.bearerTokens with token: ${reference}`);
  }
  if (session?.keys === undefined) {
    const fix = `add a secret of 32 bytes in base64, and session.keys with key: ${reference}`;
    problems.push(`session.keys is missing, and every replica must open what another one has sealed; ${fix}`);
  }
  if (aws?.host === undefined) problems.push("aws.host is missing; give the name that clients call: mcp.example.com");
  if (aws?.certificateArn === undefined && aws?.dns === undefined) {
    problems.push(
      "aws.certificateArn is missing; give a certificate of aws.host, or aws.dns in which one is validated",
    );
  }
  if (aws?.dns !== undefined && aws.dns.zoneId === undefined) problems.push("aws.dns.zoneId is missing; add it");
  if ((aws?.ingressCidrs?.length ?? 0) === 0) {
    problems.push("aws.ingressCidrs is missing, so nobody could call; list who may: 10.0.0.0/8, 203.0.113.0/24");
  }
  if (aws?.public === true && aws.environment !== undefined && aws.environment.publicSubnetIds === undefined) {
    problems.push("aws.public is true without aws.environment.publicSubnetIds; add them, or leave aws.public out");
  }
  return [
    ...problems,
    ...boundsProblems(
      scaling?.minInstances ?? defaults.gatewayMinInstances,
      scaling?.maxInstances ?? defaults.gatewayMaxInstances,
    ),
    ...sizeProblems(container, defaults.gatewayCpuMillicores, defaults.gatewayMemoryMiB),
    ...deploymentProblems(aws?.deployment),
    ...environmentProblems(aws),
    ...containerFileProblems(Platform.Aws, args, Object.keys(secrets ?? {})),
  ];
}

function sizeProblems(
  container: { cpuMillicores?: pulumi.Input<number>; memoryMiB?: pulumi.Input<number> } | undefined,
  usualCpu: number,
  usualMemory: number,
): string[] {
  const { cpuMillicores = usualCpu, memoryMiB = usualMemory } = container ?? {};
  if (typeof cpuMillicores !== "number" || typeof memoryMiB !== "number") {
    return [
      "container.cpuMillicores and container.memoryMiB depend on outputs, but choose a size of Fargate; give numbers",
    ];
  }
  if (taskSize(cpuMillicores, memoryMiB) !== undefined) return [];
  const asked = `${cpuMillicores} millicores with ${memoryMiB} MiB`;
  return [`container: Fargate has no task of ${asked}; ask for at most 16000 millicores and 122880 MiB`];
}

function environmentProblems(block: AwsTaskArgs | undefined): string[] {
  const { environment } = block ?? {};
  if (environment === undefined) {
    return ["aws.environment is missing; give an MCPNetwork, or the ids of a network of your own"];
  }
  const needed = ["vpcId", "privateSubnetIds", "clusterArn", "clusterName", "namespaceId", "namespaceName"] as const;
  return [...needed, "gatewaySecurityGroupId" as const]
    .filter((key) => environment[key] === undefined)
    .map((key) => `aws.environment.${key} is missing; add it, or give an MCPNetwork as aws.environment`);
}
