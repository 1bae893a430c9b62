import { issueText, validateAgainst } from "../../runtime/config/schema/index.ts";
import type { MCPServerFleetArgs } from "../fleet/args.ts";
import { commandProblems, portlessPath } from "../fleet/container-rules.ts";
import { externalProblems, isExternal } from "../fleet/external.ts";
import { unreadTargets } from "../fleet/scaling-rules.ts";
import type { MCPGatewayArgs } from "../gateway/args.ts";
import { containerFileProblems } from "../gateway/container-files.ts";
import { knownPart } from "../known-part.ts";
import { Platform } from "../platform.ts";
import type { SystemdServiceArgs } from "./args.ts";
import { fleetBlocks, gatewayBlocks } from "./block-schema.ts";
import { systemdDefaults as defaults } from "./defaults.ts";
import { ownCredentials } from "./names.ts";

/** Every mistake in a fleet's arguments for this platform: field, value, fix. */
export function fleetProblems(args: MCPServerFleetArgs): string[] {
  const { tags, container, scaling, systemd, type, credentials } = args;
  // An externally managed fleet has scaling rules of its own.
  const blocks = knownPart({ tags, container, scaling: isExternal(args) ? undefined : scaling, systemd });
  const problems = validateAgainst(fleetBlocks, blocks).map(issueText);
  if (problems.length > 0) return problems;
  if (isExternal(args)) return externalProblems(Platform.Systemd, args);
  problems.push(...commandProblems({ type, container }), ...portlessPath("path", container));
  if (container?.port !== undefined && container.command === undefined) {
    problems.push("container.command is missing beside container.port; give the program that listens at the port");
  }
  if (container?.healthPath !== undefined) {
    const why = "systemd does not look at health; the gateway checks the server itself";
    problems.push(`container.healthPath is given, but ${why}; remove it`);
  }
  if (systemd?.secretFiles !== undefined && container?.port !== undefined) {
    const fix = "give container.secretEnv, or let the server read files of its own";
    problems.push(`systemd.secretFiles is given, but only the server host reads them; ${fix}`);
  }
  if (credentials !== undefined && container?.port === undefined) {
    const fix = "remove it, or give container.port for a server that checks callers itself";
    problems.push(`credentials is given, but gateway and server host have a token of their own; ${fix}`);
  }
  return [
    ...problems,
    ...tagProblems(tags),
    ...imageProblems(container),
    ...instanceProblems(scaling),
    ...secretProblems("container.secretEnv", container?.secretEnv, systemd),
  ];
}

/** The same of a gateway. */
export function gatewayProblems(name: string, args: MCPGatewayArgs): string[] {
  const { tags, container, scaling, port, secrets, systemd, workers } = args;
  const blocks = knownPart({ tags, container, port, secrets, systemd });
  const problems = validateAgainst(gatewayBlocks, blocks).map(issueText);
  if (problems.length > 0) return problems;
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(name)) {
    const fix = "use letters, digits, hyphens, dots and underscores, at most 100 characters";
    problems.push(`the name "${name}" becomes that of a unit; ${fix}`);
  }
  if (scaling !== undefined) {
    problems.push("scaling is given, but a machine has one gateway; remove it, or set platform to kubernetes");
  }
  // What is known only later is refused when it starts.
  if (typeof workers === "string" && workers !== "1") {
    const why = "the service manager hands over one socket to one process";
    problems.push(`workers: is "${workers}", but ${why}; remove it`);
  }
  const given = Object.keys(systemd?.secretFiles ?? secrets ?? {});
  return [
    ...problems,
    ...tagProblems(tags),
    ...imageProblems(container),
    ...containerFileProblems(Platform.Systemd, args, given),
    ...secretProblems("secrets", secrets, systemd),
  ];
}

/** Labels are lines of a section that systemd leaves alone. */
export function tagProblems(tags: object | undefined): string[] {
  return Object.keys(tags ?? {})
    .filter((key) => !/^[A-Za-z0-9][-._/A-Za-z0-9]*$/.test(key))
    .map((key) => `tags: "${key}" is not a key of a unit file; use letters, digits, hyphens, dots and slashes`);
}

function imageProblems(container: { readonly image?: unknown } | undefined): string[] {
  if (container?.image === undefined) return [];
  const fix = "remove it; services run mcp-fleet of this machine (systemd.program), or container.command";
  return [`container.image is given, but platform "systemd" runs no images; ${fix}`];
}

/** Nothing starts or ends instances between two updates. */
function instanceProblems(scaling: MCPServerFleetArgs["scaling"]): string[] {
  const { minInstances = defaults.fleetInstances, maxInstances } = scaling ?? {};
  if (typeof minInstances !== "number") {
    return ["scaling.minInstances is known only later, but it decides how many services there are; give a number"];
  }
  const unread = unreadTargets(scaling, ["targetInFlight"], "systemd has no autoscaler");
  if (maxInstances === undefined || maxInstances === minInstances) return unread;
  const fix = "give both the number of services, and container.maxProcesses for servers in each of them";
  return [
    ...unread,
    `scaling.maxInstances (${maxInstances}) is not minInstances (${minInstances}), but systemd has no autoscaler; ${fix}`,
  ];
}

function secretProblems(field: string, given: object | undefined, systemd: SystemdServiceArgs | undefined): string[] {
  const problems: string[] = [];
  if (given !== undefined && systemd?.secretFiles !== undefined) {
    problems.push(`systemd.secretFiles stands beside ${field}; keep one place that secrets come from`);
  }
  for (const [key, names] of Object.entries({ [field]: given, "systemd.secretFiles": systemd?.secretFiles })) {
    for (const name of Object.keys(names ?? {}).filter((one) => one.startsWith(ownCredentials))) {
      problems.push(`${key}: "${name}" begins with ${ownCredentials}, as the platform's own do; choose another name`);
    }
  }
  return problems;
}
