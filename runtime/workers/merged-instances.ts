import type { InstancesView } from "../listeners/instance-admin.ts";
import type { InstanceStatus } from "../registry/fleet-instances.ts";

/** Events that are kept of all workers. */
const keptEvents = 100;

/**
 * One view of a server's instances from those of all workers, each of which watches over them by itself: an instance serves when
 * all say so, else what the first other one says stands; calls in flight are summed, the slowest latency counts.
 */
export function mergedInstances(views: readonly InstancesView[]): InstancesView {
  const [first] = views as readonly [InstancesView];
  const parts = new Map<string, InstanceStatus[]>();
  for (const instance of views.flatMap(({ instances }) => instances)) {
    parts.set(instance.id, [...(parts.get(instance.id) ?? []), instance]);
  }
  const events = views.flatMap((view) => view.events).sort((a, b) => a.at.localeCompare(b.at));
  return { server: first.server, instances: [...parts.values()].map(mergeInstance), events: events.slice(-keptEvents) };
}

function mergeInstance(parts: readonly InstanceStatus[]): InstanceStatus {
  const shown = parts.find(({ state }) => state !== "ready") ?? (parts[0] as InstanceStatus);
  const latencies = parts.map(({ latencyMs }) => latencyMs).filter((ms) => ms !== null);
  return {
    ...shown,
    inFlight: parts.reduce((sum, { inFlight }) => sum + inFlight, 0),
    latencyMs: latencies.length === 0 ? null : Math.max(...latencies),
  };
}
