import { type ErrorCode, FleetError } from "../../errors.ts";
import type { Fleet } from "../fleet.ts";
import type { FleetCall } from "../fleet-call.ts";
import { failureOf, notBegun } from "./failures.ts";
import type { Repeatable } from "./repeatable.ts";

/** The call has not reached any server. */
const refused = new Set<ErrorCode>(["CIRCUIT_OPEN", "OVERLOADED", "POOL_EXHAUSTED", "INSTANCE_START_FAILED"]);

export interface FallbackOptions {
  /** Names of other fleets, in this order. */
  readonly names: readonly string[];
  readonly fleetNamed: (name: string) => Fleet | undefined;
  readonly repeatable: Repeatable;
  readonly onFallback: () => void;
}

/**
 * Gives a call that this fleet could not take to the next one; one that may have had an effect only if it may be repeated,
 * one that is about a task or makes one never: the task would be at a server where nobody looks for it.
 */
export function fallback({ names, fleetNamed, repeatable, onFallback }: FallbackOptions, next: FleetCall): FleetCall {
  /** The call at another fleet, whose own tools and rules count. */
  const handOver = async (fleet: Fleet, ...[client, method, params, exchange]: Parameters<FleetCall>) => {
    await exchange.judge?.check(fleet, method, params);
    onFallback();
    client.fleets?.add(fleet.name);
    exchange.avoid = undefined;
    exchange.fellBack = true;
    return fleet.call(client, method, params, exchange);
  };
  return async (client, method, params, exchange) => {
    try {
      return await next(client, method, params, exchange);
    } catch (error) {
      if (method.startsWith("tasks/") || params?.task !== undefined) throw error;
      const unsent = notBegun(error) || !exchange.begun || (error instanceof FleetError && refused.has(error.code));
      const safe = unsent || repeatable.call(method, params);
      if (!(error instanceof FleetError && (failureOf(error) || refused.has(error.code)) && safe)) throw error;
      for (const name of names) {
        const fleet = fleetNamed(name);
        if (fleet === undefined || exchange.cancelled !== undefined) continue;
        // What the last fleet says is no better than what this one said, nor is that the caller may not use it.
        const reply = await handOver(fleet, client, method, params, exchange).catch(() => undefined);
        if (reply !== undefined) return reply;
      }
      throw error;
    }
  };
}
