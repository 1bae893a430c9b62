import type { Instance } from "./instance.ts";
import type { LeaseClients, LeaseHolder } from "./instance-source.ts";

/** An instance and who has it to itself. */
export interface Lease {
  readonly instance: Instance;
  /** Undefined when nothing is known of its owner: then only time ends the lease. */
  readonly holder: LeaseHolder | undefined;
  /** Calls that have been given the instance and have not reached it yet. */
  arriving: number;
  /** When its holder was last told that others wait. */
  toldAt?: number;
}

/** A gateway that was told that others wait, and keeps its lease, is told again after this time. */
const tellAgainMs = 5000;

/**
 * The owner who gives way to one that waits: of those whose client has gone, the one that used its instance least recently.
 * When all clients are there, it is the caller with the most leases who gives up the one used least recently, if that caller
 * has at least two more than the one who waits. Nobody gives up an instance with a call in flight.
 */
export function leaseToGiveUp(
  leases: ReadonlyMap<string, Lease>,
  waiting: LeaseHolder | undefined,
  attached: LeaseClients["attached"],
): string | undefined {
  return leastRecent(leases, (owner, holder) => !attached(owner, holder)) ?? ofGreediest(leases, waiting);
}

/**
 * The lease whose holder is told next that others wait: the one used least recently of those that were not told lately, an idle
 * one if there is one. A call in flight can wait for a client that has gone, which only the holder can know.
 */
export function leaseToAskFor(leases: ReadonlyMap<string, Lease>, now: number): Lease | undefined {
  const told = (owner: string) => now - (leases.get(owner)?.toldAt ?? Number.NEGATIVE_INFINITY) < tellAgainMs;
  const askable = (candidate: string, { wanted }: LeaseHolder) => wanted !== undefined && !told(candidate);
  const owner = leastRecent(leases, askable) ?? leastRecent(leases, askable, true);
  return owner === undefined ? undefined : leases.get(owner);
}

function ofGreediest(leases: ReadonlyMap<string, Lease>, waiting: LeaseHolder | undefined): string | undefined {
  const counts = new Map<string | undefined, number>();
  for (const { holder } of leases.values()) {
    if (holder !== undefined) counts.set(holder.caller, (counts.get(holder.caller) ?? 0) + 1);
  }
  const most = Math.max(0, ...counts.values());
  if (waiting === undefined || most < (counts.get(waiting.caller) ?? 0) + 2) return undefined;
  return leastRecent(leases, (_owner, { caller }) => counts.get(caller) === most);
}

/** The owner of the lease that was used least recently, among those that qualify and, unless `busyToo`, are idle. */
function leastRecent(
  leases: ReadonlyMap<string, Lease>,
  qualifies: (owner: string, holder: LeaseHolder) => boolean,
  busyToo = false,
): string | undefined {
  let found: string | undefined;
  let oldest = Number.POSITIVE_INFINITY;
  for (const [owner, { instance, holder, arriving }] of leases) {
    const { state, inFlight, lastUsedAt } = instance;
    if (holder === undefined || arriving > 0 || state === "starting" || lastUsedAt >= oldest) continue;
    if (inFlight > 0 && !busyToo) continue;
    if (!qualifies(owner, holder)) continue;
    found = owner;
    oldest = lastUsedAt;
  }
  return found;
}
