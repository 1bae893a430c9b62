import type { ResolvedServer } from "../config/index.ts";
import type { Fleet } from "./fleet.ts";
import type { FleetRegistry } from "./fleet-registry.ts";
import type { FleetHealth } from "./fleet-status.ts";

/** What `/ready` answers. */
export interface ReadinessView {
  readonly ready: boolean;
  /** Health by server, for a caller who may know the names. */
  readonly servers?: Readonly<Record<string, FleetHealth>>;
  /** Number of servers by health, for everybody else. */
  readonly counts?: Readonly<Partial<Record<FleetHealth, number>>>;
}

export interface ReadinessOptions {
  readonly registry: FleetRegistry;
  /** The gateway takes no new work. */
  readonly draining: () => boolean;
  /** It refuses every call, because it cannot note them (`gateway.audit.failClosed`). Defaults to never. */
  readonly muted?: () => boolean;
}

/**
 * Whether a balancer should give this gateway calls, as proxies see it (Envoy's `/ready`): its configuration is in force and
 * every server has been tried once. A server that fails later does not take the gateway from all others, unless it is
 * `required`; every replica would fail with it.
 */
export class Readiness {
  readonly #options: ReadinessOptions;
  #tried = false;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** `sees` tells which servers the viewer may know; without it, the view names none. */
  look(sees?: (fleet: Fleet) => boolean): ReadinessView {
    const { registry, draining, muted } = this.#options;
    const fleets = registry
      .all()
      .map((fleet) => ({ fleet, name: fleet.name, server: fleet.server, health: fleet.status().health }));
    this.#tried ||= fleets.every(({ health }) => health !== "starting");
    const open = !draining() && muted?.() !== true;
    const ready = open && this.#tried && !fleets.some(({ server, health }) => lacks(server, health));
    if (sees !== undefined) {
      const seen = fleets.filter(({ fleet }) => sees(fleet));
      return { ready, servers: Object.fromEntries(seen.map(({ name, health }) => [name, health])) };
    }
    const counts: Partial<Record<FleetHealth, number>> = {};
    for (const { health } of fleets) counts[health] = (counts[health] ?? 0) + 1;
    return { ready, counts };
  }
}

/** Is it a server that the gateway must have, and has no instance of? One at rest that a call would start is there. */
export function lacks(
  { required, endpoints, discovery }: Pick<ResolvedServer, "required" | "endpoints" | "discovery">,
  health: FleetHealth,
): boolean {
  if (required !== true || health === "ready") return false;
  return health !== "idle" || (endpoints ?? discovery) !== undefined;
}
