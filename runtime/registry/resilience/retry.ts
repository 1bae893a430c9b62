import type { Exchange } from "../../protocol/exchange.ts";
import type { FleetCall } from "../fleet-call.ts";
import { HostRefusal, isExhausted, notBegun, worthRepeating } from "./failures.ts";
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
  /**
   * Can a session that a full host has refused be opened elsewhere? Its call waits for that until it is `waitMs` old. Undefined
   * where owners have no sessions to themselves at instances that something else runs.
   */
  readonly replaceable: (() => boolean) | undefined;
  readonly waitMs: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onRetry: () => void;
}

/**
 * Sends a call again when that is safe: the server has not begun it, or it changes nothing. A lost instance is replaced
 * by another one at once; else there is a pause with full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter").
 */
export function retry(options: RetryOptions, next: FleetCall): FleetCall {
  const { attempts, backoffMs, budget, repeatable, several, replaceable, waitMs, now, random, sleep, onRetry } =
    options;
  const waits = (exchange: Exchange) =>
    exchange.cancelled === undefined && exchange.timeoutMs - exchange.leftMs(now()) < waitMs;
  /** After the first attempt has failed. */
  const again = async (first: unknown, ...[client, method, params, exchange]: Parameters<FleetCall>) => {
    let error = first;
    for (let attempt = 1; ; attempt += 1) {
      // Not an attempt: the instance has said that it has no place, and is passed over from now on.
      while (error instanceof HostRefusal && error.leased && replaceable?.() === true && waits(exchange)) {
        try {
          return await next(client, method, params, exchange);
        } catch (failure) {
          error = failure;
        }
      }
      const shared = error instanceof HostRefusal && !error.leased;
      // Nobody else has a place, and the call has waited for one.
      if (isExhausted(error) && !shared) throw error;
      const unsent = notBegun(error) || ((!exchange.begun || shared) && several());
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
