import { FleetError } from "../../errors.ts";
import type { Exchange } from "../../protocol/exchange.ts";
import type { Params, RpcReply } from "../../protocol/json-rpc.ts";
import type { FleetClient } from "../fleet.ts";
import type { FleetCall } from "../fleet-call.ts";
import type { Instance } from "../instance.ts";
import type { InstanceSource } from "../instance-source.ts";
import type { Repeatable } from "./repeatable.ts";

export interface DispatchOptions {
  readonly fleet: string;
  readonly source: InstanceSource;
  readonly leaseOf: (client: FleetClient) => string;
  readonly repeatable: Repeatable;
  readonly now: () => number;
}

/** The innermost stage: chooses an instance and sends the call, with what is left of its time. */
export function dispatch({ fleet, source, leaseOf, repeatable, now }: DispatchOptions): FleetCall {
  const keepTime = (exchange: Exchange) => {
    if (exchange.deadline === undefined) return;
    const left = Math.ceil(exchange.deadline - now());
    if (left <= 0) {
      const fix = "call again, or raise timeouts.requestMs of this server";
      throw new FleetError("REQUEST_TIMEOUT", `${fleet}: no instance was free within ${exchange.timeoutMs} ms; ${fix}`);
    }
    if (left < exchange.remainingMs) exchange.remainingMs = left;
  };
  return async (client, method, params, exchange) => {
    const owner = leaseOf(client);
    exchange.caller = client.caller ?? client.reader;
    exchange.begun = false;
    keepTime(exchange);
    let instance = source.pick(owner, exchange);
    if (instance === undefined) {
      instance = await source.acquire(owner, exchange);
      keepTime(exchange);
    }
    exchange.place = instance.backend;
    exchange.begun = true;
    return source.backends.length > 1 && repeatable.call(method, params)
      ? movable(instance, method, params, exchange)
      : instance.request(method, params, exchange);
  };
}

/** A call that may be repeated need not wait for an instance that has been found not to answer. */
function movable(
  instance: Instance,
  method: string,
  params: Params | undefined,
  exchange: Exchange,
): Promise<RpcReply> {
  const { movable: calls } = instance.backend;
  const attempt = exchange.attempt();
  return new Promise((resolve, reject) => {
    const move = (why: string) => {
      calls.delete(move);
      attempt.cancel("sent to another instance");
      reject(new FleetError("INSTANCE_LOST", `${instance.id} did not answer (${why}); call again`));
    };
    calls.add(move);
    instance.request(method, params, attempt).then(
      (reply) => {
        calls.delete(move);
        resolve(reply);
      },
      (error) => {
        calls.delete(move);
        reject(error);
      },
    );
  });
}
