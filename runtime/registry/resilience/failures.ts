import { type ErrorCode, FleetError } from "../../errors.ts";

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

/** Is a call that changes nothing worth another attempt? */
export function worthRepeating(error: unknown): boolean {
  if (!(error instanceof FleetError)) return false;
  return error.code === "INSTANCE_LOST" || (error.code === "UPSTREAM_PROTOCOL" && transient.has(error.data?.status));
}
