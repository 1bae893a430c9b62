import { setTimeout as sleep } from "node:timers/promises";
import type { ResolvedServer } from "../../config/index.ts";
import type { Bound } from "../../observability/bounds.ts";
import type { Metrics } from "../../observability/metrics.ts";
import type { ToolDescription } from "../catalog.ts";
import type { Fleet, FleetClient } from "../fleet.ts";
import type { FleetCall } from "../fleet-call.ts";
import type { InstanceSource } from "../instance-source.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";
import { dispatch } from "./dispatch.ts";
import { fallback } from "./fallback.ts";
import { fleetCircuit } from "./fleet-circuit.ts";
import { hedge } from "./hedge.ts";
import { Repeatable } from "./repeatable.ts";
import { retry } from "./retry.ts";
import { RetryBudget } from "./retry-budget.ts";

export interface ResilienceOptions {
  readonly server: ResolvedServer & { readonly isolation: string };
  readonly source: InstanceSource;
  readonly leaseOf: (client: FleetClient) => string;
  /** A tool of the last list that was read; asks nobody. */
  readonly tool: (name: string) => ToolDescription | undefined;
  readonly fleetNamed: (name: string) => Fleet | undefined;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly random: () => number;
  /** Does something else run the instances? */
  readonly remote: boolean;
  /** A call that may be repeated was answered by one of several instances. */
  readonly onAnswered: (subject: string, ms: number) => void;
}

/**
 * What stands between a call and its instance, from the outside in: fallback fleets, the fleet's circuit, the concurrency
 * limit, retries, hedging, the choice of an instance. Composed once; what is off is not there.
 */
export class Resilience {
  readonly call: FleetCall;
  readonly #limit: ConcurrencyLimit;

  constructor(options: ResilienceOptions) {
    const { server, source, leaseOf, tool, fleetNamed, metrics, now, random, remote, onAnswered } = options;
    const { name, retry: again, concurrency, circuitBreaker, timeouts } = server;
    const repeatable = new Repeatable(again.idempotentTools, tool);
    const budget = new RetryBudget(again.budgetPercent, now);
    const repeated = (kind: "retry" | "hedge" | "fallback") => () => metrics.callRepeated(name, kind);

    const { attempts } = again;
    let call = dispatch({
      fleet: name,
      source,
      leaseOf,
      repeatable,
      budget,
      attempts,
      now,
      onAnswered,
      onMoved: repeated("retry"),
    });
    if (again.hedgeAfterMs !== undefined) {
      call = hedge({ afterMs: again.hedgeAfterMs, budget, repeatable, onHedge: repeated("hedge") }, call);
    }
    const placed = remote && server.isolation !== "shared";
    if (again.attempts > 1 || placed) {
      const several = () => source.backends.length > 1;
      const replaceable = placed ? () => source.backends.filter(({ usable }) => usable).length > 1 : undefined;
      const rules = { ...again, replaceable, waitMs: timeouts.connectMs };
      call = retry({ ...rules, budget, repeatable, several, now, random, sleep, onRetry: repeated("retry") }, call);
    }
    this.#limit = new ConcurrencyLimit({
      ...{ ...concurrency, fleet: name, now, onShed: () => metrics.callShed(name) },
      adaptive: concurrency.adaptive ? new AdaptiveLimit(concurrency.maxInFlight) : undefined,
    });
    call = this.#limit.around(call);
    // Where each owner has an instance to itself, what one of them does must not stop the others.
    if (circuitBreaker.enabled && server.isolation === "shared") {
      const rules = { ...circuitBreaker, slowCallMs: circuitBreaker.slowCallMs };
      const circuit = new CircuitBreaker({
        ...{ ...rules, now },
        onChange: ({ state }) => metrics.instanceEvent(name, `fleet-circuit-${state}`),
      });
      call = fleetCircuit(name, circuit, now, call);
    }
    if (server.fallback !== undefined) {
      call = fallback({ names: server.fallback, fleetNamed, repeatable, onFallback: repeated("fallback") }, call);
    }
    this.call = call;
  }

  /** Share of the calls that may be under way at once which are, 0 to 1. */
  get utilization(): number {
    return this.#limit.inFlight / this.#limit.limit;
  }

  bounds(): readonly Bound[] {
    return this.#limit.bounds();
  }

  /** Calls that wait for a place. */
  get waiting(): number {
    return this.#limit.waiting;
  }
}
