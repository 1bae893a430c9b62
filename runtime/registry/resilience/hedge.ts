import type { Exchange } from "../../protocol/exchange.ts";
import type { RpcReply } from "../../protocol/json-rpc.ts";
import type { FleetCall } from "../fleet-call.ts";
import type { Repeatable } from "./repeatable.ts";
import type { RetryBudget } from "./retry-budget.ts";

export interface HedgeOptions {
  readonly afterMs: number;
  readonly budget: RetryBudget;
  readonly repeatable: Repeatable;
  readonly onHedge: () => void;
}

/**
 * Sends a call that only reads to a second instance when the first one takes long; the first answer counts and the other
 * call is cancelled (Dean and Barroso, "The Tail at Scale", 2013).
 */
export function hedge({ afterMs, budget, repeatable, onHedge }: HedgeOptions, next: FleetCall): FleetCall {
  return (client, method, params, exchange) => {
    if (!repeatable.reads(method, params)) return next(client, method, params, exchange);
    return new Promise<RpcReply>((resolve, reject) => {
      const attempts: Exchange[] = [];
      let waiting = 0;
      const settle = () => {
        clearTimeout(timer);
        for (const attempt of attempts) attempt.cancel("another instance answered first");
      };
      const send = (attempt: Exchange) => {
        attempts.push(attempt);
        waiting += 1;
        next(client, method, params, attempt).then(
          (reply) => {
            settle();
            resolve(reply);
          },
          (error) => {
            waiting -= 1;
            // A second attempt that failed is no news while the first one is under way.
            if (waiting > 0) return;
            settle();
            exchange.place = attempt.place;
            exchange.begun = attempt.begun;
            reject(error);
          },
        );
      };
      const timer = setTimeout(() => {
        if (!budget.take()) return;
        onHedge();
        const second = exchange.attempt();
        second.avoid = new Set(exchange.avoid);
        const { place } = attempts[0] as Exchange;
        if (place !== undefined) second.avoid.add(place);
        send(second);
        exchange.onCancel((reason) => {
          for (const attempt of attempts) attempt.cancel(reason);
        });
      }, afterMs);
      send(exchange.attempt());
    });
  };
}
