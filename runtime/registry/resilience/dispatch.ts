import { FleetError } from "../../errors.ts";
import type { Exchange } from "../../protocol/exchange.ts";
import type { Params } from "../../protocol/json-rpc.ts";
import type { FleetCall } from "../fleet-call.ts";
import type { FleetClient } from "../fleet-client.ts";
import type { Instance } from "../instance.ts";
import type { InstanceSource } from "../instance-source.ts";
import { MovableCall, type MovableCallOptions } from "./movable-call.ts";
import type { Repeatable } from "./repeatable.ts";

export interface DispatchOptions extends MovableCallOptions {
  readonly fleet: string;
  readonly source: InstanceSource;
  readonly repeatable: Repeatable;
}

/** The innermost stage: chooses an instance and sends the call, with what is left of its time. */
export function dispatch(options: DispatchOptions): FleetCall {
  const { fleet, source, leaseOf, repeatable, attempts, now } = options;
  /** Has the call any time left? What is left is all that its instance gets. */
  const keepsTime = (exchange: Exchange): boolean => {
    const left = exchange.leftMs(now());
    if (left <= 0) return false;
    if (left < exchange.remainingMs) exchange.remainingMs = left;
    return true;
  };
  const send = (
    instance: Instance,
    client: FleetClient,
    method: string,
    params: Params | undefined,
    exchange: Exchange,
  ) => {
    exchange.place = instance.backend;
    exchange.begun = true;
    return attempts > 1 && source.backends.length > 1 && repeatable.call(method, params)
      ? new MovableCall(options, client, method, params, exchange).send(instance)
      : instance.request(method, params, exchange);
  };
  const wait: FleetCall = async (client, method, params, exchange) => {
    const instance = await source.acquire(leaseOf(client), exchange, client);
    if (!keepsTime(exchange)) throw noneFree(fleet, exchange);
    return send(instance, client, method, params, exchange);
  };
  return (client, method, params, exchange) => {
    exchange.caller = client.caller ?? client.reader;
    exchange.begun = false;
    if (!keepsTime(exchange)) return Promise.reject(noneFree(fleet, exchange));
    try {
      const instance = source.pick(leaseOf(client), exchange);
      return instance === undefined
        ? wait(client, method, params, exchange)
        : send(instance, client, method, params, exchange);
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
