import { Gauge, type Registry } from "prom-client";
import type { PoolStatistics } from "./connection-pool.ts";

/** Reads the pools of one manager. */
export type PoolSource = () => readonly PoolStatistics[];

/** One figure of pools, by their ids. Managers that share a registry share it; of pools with one id the highest figure is told. */
class PoolGauge extends Gauge<"pool"> {
  /** One for each manager that is open. */
  readonly sources = new Set<PoolSource>();

  constructor(registry: Registry, name: string, help: string, read: (pool: PoolStatistics) => number) {
    super({
      ...{ name, help, labelNames: ["pool"], registers: [registry] },
      collect() {
        this.reset();
        const highest = new Map<string, number>();
        for (const pools of (this as PoolGauge).sources) {
          for (const pool of pools()) highest.set(pool.id, Math.max(highest.get(pool.id) ?? 0, read(pool)));
        }
        for (const [pool, value] of highest) this.set({ pool }, value);
      },
    });
  }
}

const figures: readonly (readonly [name: string, help: string, read: (pool: PoolStatistics) => number])[] = [
  ["mcp_connection_pool_utilization", "Connections in use over the maximum, 0 to 1.", (pool) => pool.utilization],
  ["mcp_connection_pool_connections", "Open connections; bound: maxConnections.", ({ total }) => total],
  ["mcp_connection_pool_waiting", "Those who wait for a connection.", ({ waiting }) => waiting],
];

/** Tells a manager's pools in a registry, until the returned function is called. Throws when the registry has other metrics of these names. */
export function tellPools(registry: Registry, source: PoolSource): () => void {
  const gauges = figures.map(([name, help, read]) => {
    const known = registry.getSingleMetric(name);
    return known instanceof PoolGauge ? known : new PoolGauge(registry, name, help, read);
  });
  for (const { sources } of gauges) sources.add(source);
  return () => {
    for (const { sources } of gauges) sources.delete(source);
  };
}
