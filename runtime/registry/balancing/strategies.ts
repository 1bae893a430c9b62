import type { ResolvedServer } from "../../config/index.ts";
import { FleetError } from "../../errors.ts";
import { LeastConnections } from "./least-connections.ts";
import { ResourceBased } from "./resource-based.ts";
import { RoundRobin } from "./round-robin.ts";
import type { StrategyFactory } from "./strategy.ts";
import { Weighted } from "./weighted.ts";

/** The strategies of one gateway by name: four of its own, and those that its program has registered. */
export class Strategies {
  readonly #factories = new Map<string, StrategyFactory>([
    ["round-robin", () => new RoundRobin()],
    ["least-connections", (random) => new LeastConnections(random)],
    ["weighted", () => new Weighted()],
    ["resource-based", (random) => new ResourceBased(random)],
  ]);

  get names(): readonly string[] {
    return [...this.#factories.keys()];
  }

  /** Fleets that are made from now on may name it as `custom:<name>`. Throws CONFIG_INVALID when the name is taken. */
  registerLoadBalancer(name: string, factory: StrategyFactory): void {
    const full = `custom:${name}`;
    if (this.#factories.has(full)) {
      throw new FleetError(
        "CONFIG_INVALID",
        `a load balancing strategy "${name}" is there already; choose another name`,
      );
    }
    this.#factories.set(full, factory);
  }

  /** Throws CONFIG_INVALID when one of the servers names a strategy that nobody registered. */
  check(servers: readonly Pick<ResolvedServer, "name" | "loadBalancer">[]): void {
    for (const { name, loadBalancer } of servers) this.named(name, loadBalancer.strategy);
  }

  /** The strategy that a server's configuration names. Throws CONFIG_INVALID for one that nobody registered. */
  named(server: string, name: string): StrategyFactory {
    const factory = this.#factories.get(name);
    if (factory !== undefined) return factory;
    const fix = `give one of ${this.names.join(", ")}, or register it before the gateway starts`;
    throw new FleetError("CONFIG_INVALID", `servers.${server}.loadBalancer.strategy: is "${name}"; ${fix}`);
  }
}
