import fc from "fast-check";
import { type Carrier, type Era, type Fault, faultsOf, type LaterFault, laterFaults, traitsOf } from "./faults.ts";

/** A hostile server as the gateway has it. */
export interface Target {
  readonly name: string;
  readonly carrier: Carrier;
  readonly era: Era;
}

/** One call of one caller. */
export interface Call {
  readonly target: Target;
  readonly caller: "alice" | "bob";
  /** Where it comes in: one server's path or that of all, of either era, or the REST interface. */
  readonly door: "session" | "session, federated" | "stateless" | "stateless, federated" | "rest";
  readonly fault: Fault;
  /** What the server does at its next request of that method. */
  readonly later?: { readonly method: string; readonly fault: LaterFault };
}

const doors = ["session", "session, federated", "stateless", "stateless, federated", "rest"] as const;

/** Armed now and then, since it makes the calls after it fail. */
const later = (era: Era) =>
  fc.record({
    method: fc.constantFrom("tools/list", "ping", era === "session" ? "initialize" : "server/discover"),
    fault: fc.constantFrom(...laterFaults),
  });

function callOf(target: Target, only?: readonly Fault[]): fc.Arbitrary<Call> {
  const possible = faultsOf(target.carrier, target.era).filter((fault) => only?.includes(fault) ?? true);
  const weighted = (possible.length === 0 ? (["none"] as const) : possible).map((fault) => ({
    // fast-check wants whole weights.
    weight: Math.round(traitsOf(fault).weight * 10),
    arbitrary: fc.constant(fault),
  }));
  return fc.record(
    {
      target: fc.constant(target),
      caller: fc.constantFrom("alice", "bob"),
      door: fc.constantFrom(...doors),
      fault: fc.oneof(...weighted),
      later: fc.oneof(
        { weight: 40, arbitrary: fc.constant(undefined) },
        { weight: only === undefined ? 1 : 0, arbitrary: later(target.era) },
      ),
    },
    { requiredKeys: ["target", "caller", "door", "fault"] },
  ) as fc.Arbitrary<Call>;
}

/** Messages that the server sends for it. */
export const messagesOf = ({ fault }: Call): number => traitsOf(fault).messages ?? 1;

/** The calls of one round: about a thousand messages, the same ones for the same seed. */
export function round(
  targets: readonly Target[],
  seed: number,
  messages: number,
  only?: readonly Fault[],
): readonly Call[] {
  const calls = fc.sample(fc.oneof(...targets.map((target) => callOf(target, only))), { numRuns: messages, seed });
  let sum = 0;
  const last = calls.findIndex((call) => {
    sum += messagesOf(call);
    return sum >= messages;
  });
  return last < 0 ? calls : calls.slice(0, last + 1);
}
