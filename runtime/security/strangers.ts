import { isLoopback } from "../config/schema/index.ts";
import { anonymousPrincipal, isNamed } from "./principal.ts";

/**
 * Tells whether different clients can have a caller's name. No state is kept under such a name: a session has its own, and
 * that of a stateless call ends with the call. A gateway without authentication that only this machine reaches has one
 * caller, the machine's user. The token of a server host belongs to several gateways.
 */
export function strangersAt(host: string, ofGateways: boolean): (caller: string) => boolean {
  if (ofGateways) return () => true;
  return isLoopback(host) ? (caller) => caller === anonymousPrincipal.caller : (caller) => !isNamed(caller);
}
