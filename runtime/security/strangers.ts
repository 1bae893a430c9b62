import { isLoopback } from "../config/schema/index.ts";
import { anonymousPrincipal, isNamed } from "./principal.ts";

/**
 * Says of a caller's name whether different clients may come under it. Nobody's state is kept under such a name: a session
 * has its own, a stateless call keeps it no longer than it runs. Without authentication, a gateway that only this machine
 * reaches has one caller: its user. Whoever holds the token of a server host is one of several gateways.
 */
export function strangersAt(host: string, ofGateways: boolean): (caller: string) => boolean {
  if (ofGateways) return () => true;
  return isLoopback(host) ? (caller) => caller === anonymousPrincipal.caller : (caller) => !isNamed(caller);
}
