import { FleetError } from "../../errors.ts";
import type { FleetCall } from "../fleet-call.ts";
import type { CircuitBreaker } from "./circuit-breaker.ts";
import { failureOf } from "./failures.ts";

/** Failures that cost nobody anything, since they come at once: they may be met again with each call. */
const quick = new Set(["INSTANCE_START_FAILED", "UPSTREAM_UNREACHABLE"]);
const quickMs = 1000;

/**
 * Stops calls to a fleet of which most fail, so that callers learn it at once and the servers can recover. Refused
 * connections do not count: they are found out as fast as an open circuit, and the first call after a restart gets through.
 */
export function fleetCircuit(fleet: string, circuit: CircuitBreaker, now: () => number, next: FleetCall): FleetCall {
  return (client, method, params, exchange) => {
    if (!circuit.admits()) return Promise.reject(circuitOpen(fleet, circuit));
    const trial = circuit.begin();
    const began = now();
    return next(client, method, params, exchange).then(
      (reply) => {
        circuit.record(false, now() - began, trial);
        return reply;
      },
      (error) => {
        const ms = now() - began;
        const counts = failureOf(error) && !(quick.has((error as FleetError).code) && ms < quickMs);
        circuit.record(counts ? true : undefined, ms, trial);
        throw error;
      },
    );
  };
}

/** CIRCUIT_OPEN, for a fleet or for all of its instances. */
export function circuitOpen(
  fleet: string,
  { reason, retryAfterMs }: Pick<CircuitBreaker, "reason" | "retryAfterMs">,
): FleetError {
  const text = `${fleet}: calls are stopped for a while (${reason ?? "its trial is under way"}); call again in ${retryAfterMs} ms`;
  return new FleetError("CIRCUIT_OPEN", text, { data: { retryAfterMs } });
}
