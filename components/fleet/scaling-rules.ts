import type { FleetScalingArgs, MCPServerFleetArgs } from "./args.ts";

/**
 * Targets of a fleet's scaling that nothing would read. `why` says what the platform does instead, and `fix` what to do
 * besides removing them.
 */
export function unreadTargets(
  scaling: FleetScalingArgs | undefined,
  targets: readonly (keyof FleetScalingArgs)[],
  why: string,
  fix = "remove it",
): string[] {
  return targets
    .filter((target) => scaling?.[target] !== undefined)
    .map((target) => `scaling.${target} is given, but ${why}; ${fix}`);
}

/**
 * The same where something else starts and ends the instances. Only `minInstances: 0` says something of them: they can
 * all be at rest.
 */
export function externalScaling({ endpoints, scaling }: Pick<MCPServerFleetArgs, "endpoints" | "scaling">): string[] {
  const source = endpoints === undefined ? "discovery" : "endpoints";
  const targets = Object.keys(scaling ?? {}) as (keyof FleetScalingArgs)[];
  const unread = targets.filter((target) => target !== "minInstances" || scaling?.minInstances !== 0);
  return unreadTargets(scaling, unread, `the instances at its ${source} are externally managed`);
}
