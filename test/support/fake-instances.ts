import pino from "pino";
import { Backend, type BackendEvent } from "../../runtime/registry/backend.ts";
import { Balancer, type BalancerOptions } from "../../runtime/registry/balancing/balancer.ts";
import { LeastConnections } from "../../runtime/registry/balancing/least-connections.ts";
import { Instance } from "../../runtime/registry/instance.ts";
import type { Placing } from "../../runtime/registry/instance-source.ts";
import type { FakeConnector } from "./fake-connector.ts";

const log = pino({ level: "silent" });

/** Where a call may go, at its beginning. */
export const anywhere = (): Placing => ({ avoid: undefined, place: undefined, remainingMs: 60_000 });

export interface FakeFleet {
  readonly clock: { time: number };
  readonly events: BackendEvent[];
  create(spec?: { weight?: number; zone?: string }): Instance;
  balancer(options?: Partial<BalancerOptions>): Balancer;
}

/** Instances on fake sessions, called `fake-1` and so on; `refresh` is called after each change. */
export function fakeFleet(connector: FakeConnector, refresh: () => void = () => {}): FakeFleet {
  const clock = { time: 0 };
  const now = () => clock.time;
  const events: BackendEvent[] = [];
  let count = 0;
  return {
    clock,
    events,
    create(spec = {}) {
      count += 1;
      const id = `fake-${count}`;
      const onChange = (_backend: Backend, event?: BackendEvent) => {
        if (event !== undefined) events.push(event);
        refresh();
      };
      const backend = new Backend({
        ...{ id, spec: { address: id, ...spec }, connector, circuit: undefined, now, onChange },
      });
      backend.primary = new Instance({
        ...{ id, backend, log, now, events: { onNotification: () => {} }, onChange: refresh },
      });
      return backend.primary;
    },
    balancer: (options = {}) =>
      new Balancer({
        ...{ strategy: new LeastConnections(Math.random), stickySession: false, zone: undefined, slowStartMs: 0 },
        ...{ now, random: Math.random, ...options },
      }),
  };
}
