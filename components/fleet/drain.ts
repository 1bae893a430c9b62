import * as pulumi from "@pulumi/pulumi";

/** As in the configuration's own default: no call of a fleet takes longer, unless `timeouts.requestMs` says so. */
const requestMs = 120_000;

/**
 * How long a fleet's calls in flight may go on when one of its instances is told to end: as long as a call may take,
 * within the platform's bounds.
 */
export function drainOf(
  common: Readonly<Record<string, unknown>>,
  bounds: { readonly least: number; readonly most: number },
): pulumi.Input<number> {
  const { requestMs: given = requestMs } = (common.timeouts ?? {}) as { readonly requestMs?: pulumi.Input<number> };
  const within = (ms: number) => Math.min(Math.max(ms, bounds.least), bounds.most);
  return typeof given === "number" ? within(given) : pulumi.output(given).apply(within);
}

/** The longest drain of a gateway's fleets, each as its configuration says, in JSON. A call passes through both. */
export function longestDrain(
  configurations: readonly string[],
  bounds: { readonly least: number; readonly most: number },
): number {
  const drains = configurations.map(
    (text) => drainOf(JSON.parse(text) as Readonly<Record<string, unknown>>, bounds) as number,
  );
  return Math.max(bounds.least, ...drains);
}
