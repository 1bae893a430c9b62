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
  /** Has the call any time left? What is left is all that its instance gets. */
  const keepsTime = (exchange: Exchange): boolean => {
    if (exchange.deadline === undefined) return true;
    const left = Math.ceil(exchange.deadline - now());
    if (left <= 0) return false;
    if (left < exchange.remainingMs) exchange.remainingMs = left;
    return true;
  };
  const send = (instance: Instance, method: string, params: Params | undefined, exchange: Exchange) => {
    exchange.place = instance.backend;
    exchange.begun = true;
    return source.backends.length > 1 && repeatable.call(method, params)
      ? movable(instance, method, params, exchange)
      : instance.request(method, params, exchange);
  };
  const wait: FleetCall = async (client, method, params, exchange) => {
    const instance = await source.acquire(leaseOf(client), exchange, client);
    if (!keepsTime(exchange)) throw noneFree(fleet, exchange);
    return send(instance, method, params, exchange);
  };
  return (client, method, params, exchange) => {
    exchange.caller = client.caller ?? client.reader;
    exchange.begun = false;
    if (!keepsTime(exchange)) return Promise.reject(noneFree(fleet, exchange));
    try {
      const instance = source.pick(leaseOf(client), exchange);
      return instance === undefined ? wait(client, method, params, exchange) : send(instance, method, params, exchange);
    } catch (error) {
      // A strategy may be anybody's.
      return Promise.reject(error);
    }
  };
}

function noneFree(fleet: string, { timeoutMs }: Exchange): FleetError {
  const fix = "call again, or raise timeouts.requestMs of this server";
  return new FleetError("REQUEST_TIMEOUT", `${fleet}: no instance was free within ${timeoutMs} ms; ${fix}`);
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
