import type { ResolvedServer } from "../config/index.ts";
import type { FleetHealth } from "./fleet.ts";
import type { FleetRegistry } from "./fleet-registry.ts";

/** What `/ready` answers. */
export interface ReadinessView {
  readonly ready: boolean;
  /** Health by server. */
  readonly servers: Readonly<Record<string, FleetHealth>>;
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

  look(): ReadinessView {
    const { registry, draining, muted } = this.#options;
    const fleets = registry
      .all()
      .map((fleet) => ({ name: fleet.name, server: fleet.server, health: fleet.status().health }));
    this.#tried ||= fleets.every(({ health }) => health !== "starting");
    const ready =
      !draining() && muted?.() !== true && this.#tried && !fleets.some(({ server, health }) => lacks(server, health));
    return { ready, servers: Object.fromEntries(fleets.map(({ name, health }) => [name, health])) };
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
