import { type ErrorCode, ErrorKinds, FleetError } from "../../errors.ts";
import { isObject } from "../../protocol/exact-number.ts";
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

/** The POOL_EXHAUSTED of a server host that has no process free for a session: it has not begun the call. */
export class HostRefusal extends FleetError {
  /** Was it a session of one owner's? That one is given up, and its calls go to another session. */
  readonly leased: boolean;

  constructor(message: string, data: Record<string, unknown>, leased: boolean) {
    super("POOL_EXHAUSTED", message, { data });
    this.leased = leased;
  }
}

/** What such a host says, as an error of this gateway; undefined for any other error. */
export function refusalOf({ code, message, data }: RpcErrorObject, leased: boolean): HostRefusal | undefined {
  if (code !== ErrorKinds.POOL_EXHAUSTED.rpc || !isObject(data) || data.code !== "POOL_EXHAUSTED") return undefined;
  return new HostRefusal(message, data, leased);
}

/** Is no instance free, here or at a host? */
export function isExhausted(error: unknown): boolean {
  return error instanceof FleetError && error.code === "POOL_EXHAUSTED";
}

/** Is a call that changes nothing worth another attempt? */
export function worthRepeating(error: unknown): boolean {
  if (!(error instanceof FleetError)) return false;
  return error.code === "INSTANCE_LOST" || (error.code === "UPSTREAM_PROTOCOL" && transient.has(error.data?.status));
}
