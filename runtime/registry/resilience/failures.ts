import { type ErrorCode, ErrorKinds, FleetError } from "../../errors.ts";
import { isObject } from "../../protocol/exact-number.ts";
import type { Exchange } from "../../protocol/exchange.ts";
import type { RpcErrorObject } from "../../protocol/json-rpc.ts";

/** Errors that speak against the instance. What a server answers itself, errors of its tools included, does not. */
const failures = new Set<ErrorCode>([
  "INSTANCE_LOST",
  "INSTANCE_OVER_LIMIT",
  "INSTANCE_START_FAILED",
  "UPSTREAM_UNREACHABLE",
  "UPSTREAM_PROTOCOL",
  "REQUEST_TIMEOUT",
]);
/** The server has not begun to work on the call. */
const untouched = new Set<ErrorCode>(["UPSTREAM_SESSION_EXPIRED", "UPSTREAM_UNREACHABLE"]);
/** HTTP answers of something in front of the server, or of one that is overloaded: another instance may do better. */
const transient = new Set<unknown>([429, 502, 503, 504]);

/** Does it speak against the instance? */
export function failureOf(error: unknown): boolean {
  return error instanceof FleetError && failures.has(error.code);
}

/** Is it certain that the server has not begun the call? */
export function notBegun(error: unknown): boolean {
  return error instanceof FleetError && untouched.has(error.code);
}

/** What a server host says that has no process free for a session: its POOL_EXHAUSTED, as an error of this gateway. */
export function refusalOf({ code, message, data }: RpcErrorObject): FleetError | undefined {
  if (code !== ErrorKinds.POOL_EXHAUSTED.rpc || !isObject(data) || data.code !== "POOL_EXHAUSTED") return undefined;
  return new FleetError("POOL_EXHAUSTED", message, { data });
}

/** Is no instance free, here or at a host? */
export function isExhausted(error: unknown): boolean {
  return error instanceof FleetError && error.code === "POOL_EXHAUSTED";
}

/** Was the call refused by a host, which has not begun it, rather than here? */
export function refusedByHost(error: unknown, { begun }: Exchange): boolean {
  return begun && isExhausted(error);
}

/** Is a call that changes nothing worth another attempt? */
export function worthRepeating(error: unknown): boolean {
  if (!(error instanceof FleetError)) return false;
  return error.code === "INSTANCE_LOST" || (error.code === "UPSTREAM_PROTOCOL" && transient.has(error.data?.status));
}
