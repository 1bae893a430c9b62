import * as pulumi from "@pulumi/pulumi";
import { drainOf, longestDrain } from "../fleet/drain.ts";
import type { FleetSettings } from "../fleet/resolve.ts";
import type { GatewaySettings } from "../gateway/resolve.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";

/** What a grace period holds besides the drain: the wait before SIGTERM, and an orderly end. */
const besidesDrain = defaults.preStopSeconds + defaults.graceMarginSeconds;
const bounds = { least: defaults.drainMs, most: (defaults.longestGraceSeconds - besidesDrain) * 1000 };

/** How long calls in flight of a fleet's pod may go on after SIGTERM: what is left of the grace period that is given. */
export function fleetDrainMs({ common, args }: FleetSettings): pulumi.Input<number> {
  const grace = args.kubernetes?.terminationGracePeriodSeconds;
  if (grace === undefined) return drainOf(common, bounds);
  const left = (seconds: number) => Math.max(seconds - besidesDrain, 0) * 1000;
  return typeof grace === "number" ? left(grace) : pulumi.output(grace).apply(left);
}

/** A gateway with the drain that its fleets' calls need, unless it says its own. */
export function withDrain(settings: GatewaySettings): GatewaySettings {
  const { common, args } = settings;
  if (common.drainMs !== undefined) return settings;
  const configurations = pulumi.output(args.fleets.map(({ configuration }) => configuration as pulumi.Input<string>));
  const drainMs = configurations.apply((texts) => longestDrain(texts, bounds));
  return { ...settings, common: { ...common, drainMs } };
}

/** The grace period of a pod with this drain time, in seconds. */
export function graceSeconds(drainMs: pulumi.Input<number>): pulumi.Input<number> {
  const seconds = (ms: number) => Math.ceil(ms / 1000) + besidesDrain;
  return typeof drainMs === "number" ? seconds(drainMs) : pulumi.output(drainMs).apply(seconds);
}
