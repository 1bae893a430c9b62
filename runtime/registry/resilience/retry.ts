import type { FleetCall } from "../fleet-call.ts";
import { notBegun, worthRepeating } from "./failures.ts";
import type { Repeatable } from "./repeatable.ts";
import type { RetryBudget } from "./retry-budget.ts";

export interface RetryOptions {
  /** The first one included. */
  readonly attempts: number;
  /** Bound of the random pause before the second attempt; doubled with each one. */
  readonly backoffMs: number;
  readonly budget: RetryBudget;
  readonly repeatable: Repeatable;
  /** Is there another instance to try when one could not be reached? */
  readonly several: () => boolean;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onRetry: () => void;
}

/**
 * Sends a call again when that is safe: the server has not begun it, or it changes nothing. A lost instance is replaced
 * by another one at once; else there is a pause with full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter").
 */
export function retry(options: RetryOptions, next: FleetCall): FleetCall {
  const { attempts, backoffMs, budget, repeatable, several, random, sleep, onRetry } = options;
  /** After the first attempt has failed. */
  const again = async (first: unknown, ...[client, method, params, exchange]: Parameters<FleetCall>) => {
    let error = first;
    for (let attempt = 1; ; attempt += 1) {
      const unsent = notBegun(error) || (!exchange.begun && several());
      const safe = unsent || (worthRepeating(error) && repeatable.call(method, params));
      if (!safe || attempt >= attempts || exchange.cancelled !== undefined) throw error;
      // What no server has begun adds no load to any: after a restart each session is opened anew.
      if (!unsent && !budget.take()) throw error;
      onRetry();
      const { place } = exchange;
      if (place !== undefined) {
        exchange.avoid ??= new Set();
        exchange.avoid.add(place);
      }
      if (attempt > 1) await sleep(random() * backoffMs * 2 ** (attempt - 1));
      if (exchange.cancelled !== undefined) throw error;
      try {
        return await next(client, method, params, exchange);
      } catch (failure) {
        error = failure;
      }
    }
  };
  return (client, method, params, exchange) => {
    budget.called();
    return next(client, method, params, exchange).catch((error) => again(error, client, method, params, exchange));
  };
}
