import type { Bound } from "../observability/bounds.ts";
import type { ConnectionUse } from "../upstreams/upstream-session.ts";
import type { Backend } from "./backend.ts";
import type { InstanceSource } from "./instance-source.ts";
import { queuePerInstance } from "./leased-instances.ts";

/** The pooled connections of all backends together. */
export function connectionsOf(backends: readonly Backend[]): ConnectionUse {
  let [busy, max, waiting] = [0, 0, 0];
  for (const { connector } of backends) {
    const { connections } = connector;
    if (connections === undefined) continue;
    busy += connections.busy;
    max += connections.max;
    waiting += connections.waiting;
  }
  return { busy, max, waiting };
}

/** How near the bounds of a fleet's instances and of their connections are. */
export function instanceBounds(
  { instances, waiting, backends }: InstanceSource,
  maxInstances: number,
): readonly Bound[] {
  const { busy, max } = connectionsOf(backends);
  return [
    { name: "instances", whenFull: "wait", use: () => ({ size: instances.length, max: maxInstances }) },
    {
      name: "instance_queue",
      whenFull: "refuse",
      use: () => ({ size: waiting, max: maxInstances * queuePerInstance }),
    },
    { name: "upstream_connections", whenFull: "wait", use: () => ({ size: busy, max }) },
  ];
}
