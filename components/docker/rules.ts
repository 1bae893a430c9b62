import { issueText, validateAgainst } from "../../runtime/config/schema/index.ts";
import { defaults as shared } from "../defaults.ts";
import type { MCPServerFleetArgs } from "../fleet/args.ts";
import { containerProblems } from "../fleet/container-rules.ts";
import { externalProblems, isExternal } from "../fleet/external.ts";
import { unreadTargets } from "../fleet/scaling-rules.ts";
import type { MCPGatewayArgs } from "../gateway/args.ts";
import { containerFileProblems } from "../gateway/container-files.ts";
import { knownPart } from "../known-part.ts";
import { Platform } from "../platform.ts";
import { fleetBlocks, gatewayBlocks } from "./block-schema.ts";
import { redisSecret } from "./cache-workload.ts";
import { dockerDefaults as defaults } from "./defaults.ts";

/** Every mistake in a fleet's arguments for this platform: field, value, fix. */
export function fleetProblems(args: MCPServerFleetArgs): string[] {
  const { tags, container, scaling, docker, type } = args;
  // An externally managed fleet has scaling rules of its own.
  const blocks = knownPart({ tags, container, scaling: isExternal(args) ? undefined : scaling, docker });
  const problems = validateAgainst(fleetBlocks, blocks).map(issueText);
  if (problems.length > 0) return problems;
  if (isExternal(args)) return externalProblems(Platform.Docker, args);
  const imageFix = "give an image that the Docker host has or can pull";
  problems.push(...containerProblems({ type, container }, imageFix));
  if (container?.healthPath !== undefined) {
    const why = "Docker can only run a program of the image to look at health; the gateway checks the server itself";
    problems.push(`container.healthPath is given, but ${why}; remove it`);
  }
  const empty = Array.isArray(container?.args) ? container.args.indexOf("") : -1;
  if (container?.port !== undefined && empty >= 0) {
    problems.push(`container.args[${empty}] is empty, which Pulumi's provider for Docker refuses; remove it`);
  }
  return [
    ...problems,
    ...instanceProblems(scaling),
    ...sourceProblems("container.secretEnv", container?.secretEnv, docker),
    ...buildProblems(docker),
  ];
}

/** The same of a gateway. */
export function gatewayProblems({ tags, container, scaling, port, ...args }: MCPGatewayArgs): string[] {
  const { secrets, docker, auth } = args;
  const problems = validateAgainst(gatewayBlocks, knownPart({ tags, container, port, secrets, docker })).map(issueText);
  if (problems.length > 0) return problems;
  if (container?.image === undefined) {
    problems.push("container.image is missing; give the image of mcp-fleet, which the Docker host has or can pull");
  }
  if (scaling !== undefined) {
    problems.push("scaling is given, but a Docker host has one gateway; remove it, or set platform to kubernetes");
  }
  if (auth === undefined) {
    const fix = `add auth.bearerTokens with token: file:${shared.secretsFolder}/NAME`;
    problems.push(`auth is missing, and the servers' containers reach the gateway; ${fix}`);
  }
  if (
    docker?.front !== false &&
    ((args.connections as { proxyProtocol?: unknown } | undefined)?.proxyProtocol ?? false) !== false
  ) {
    const why = "the container that keeps the gateway's port speaks the PROXY protocol itself";
    problems.push(`connections.proxyProtocol is given, but ${why}; remove it, or set docker.front to false`);
  }
  if (docker?.sharedCache === true && args.shared !== undefined) {
    problems.push("docker.sharedCache stands beside shared; keep one place that workers share things in");
  }
  const given = Object.keys(docker?.secretFiles ?? secrets ?? {});
  if (docker?.sharedCache === true && !given.includes(redisSecret)) {
    const fix = "make one with `openssl rand -hex 32`, and add it to secrets or docker.secretFiles";
    problems.push(`docker.sharedCache is given without the secret "${redisSecret}", the password of its Redis; ${fix}`);
  }
  problems.push(...containerFileProblems(Platform.Docker, args, given));
  return [...problems, ...sourceProblems("secrets", secrets, docker), ...buildProblems(docker)];
}

/** Nothing on a Docker host makes or ends containers between two updates. */
function instanceProblems(scaling: MCPServerFleetArgs["scaling"]): string[] {
  const { minInstances = defaults.fleetInstances, maxInstances } = scaling ?? {};
  if (typeof minInstances !== "number") {
    return ["scaling.minInstances is known only later, but it decides how many containers there are; give a number"];
  }
  const unread = unreadTargets(scaling, ["targetInFlight"], "Docker has no autoscaler");
  if (maxInstances === undefined || maxInstances === minInstances) return unread;
  const fix = "give both the number of containers, and container.maxProcesses for servers in each of them";
  return [
    ...unread,
    `scaling.maxInstances (${maxInstances}) is not minInstances (${minInstances}), but Docker has no autoscaler; ${fix}`,
  ];
}

function sourceProblems(field: string, given: object | undefined, docker: MCPGatewayArgs["docker"]): string[] {
  if (given === undefined || docker?.secretFiles === undefined) return [];
  return [`docker.secretFiles stands beside ${field}; keep one place that secrets come from`];
}

function buildProblems(docker: MCPGatewayArgs["docker"]): string[] {
  if (docker?.build === undefined || docker.build.context !== undefined) return [];
  return ["docker.build.context is missing; give the folder of a checkout of mcp-fleet"];
}
