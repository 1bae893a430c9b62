import { getHeapStatistics } from "node:v8";
import { maxWaiting } from "../listeners/duplex.ts";
import { maxOpenQuestions } from "../protocol/client-session.ts";
import type { Bound, Bounds, Use } from "./bounds.ts";

/** What of a gateway grows with its clients and servers. */
export interface GatewayHolders {
  readonly sessions: {
    readonly live: number;
    readonly max: number;
    sessions(): Iterable<{ readonly openQuestions: number }>;
  };
  readonly parked: Use;
  /** Of the caller who has most of them. */
  readonly subscriptions: { readonly fullest: Use };
  readonly mcp: { readonly streams: Use };
  readonly door: { readonly open: Promise<Use> };
  /** Bytes of all clients together. */
  readonly budget: { readonly use: Use };
  /** Listeners whose connections carry messages both ways, and the bytes that wait for the slowest client of each. */
  readonly clients: readonly { readonly waiting: number }[];
  /** Credentials that were checked. */
  readonly security: { readonly remembered: Use };
  readonly servers: () => Iterable<readonly [server: string, bounds: readonly Bound[]]>;
}

/** V8's own bound; past it the process ends. */
function heap(): Use {
  const { used_heap_size: size, heap_size_limit: max } = getHeapStatistics();
  return { size, max };
}

/** Registers the bounds of a gateway and of its servers. */
export function holdGatewayBounds(bounds: Bounds, holders: GatewayHolders): void {
  const { sessions, parked, subscriptions, mcp, door, budget, clients, security, servers } = holders;
  const slowest = () => ({ size: Math.max(...clients.map(({ waiting }) => waiting)), max: maxWaiting });
  const questions = (): Use => {
    let size = 0;
    for (const { openQuestions } of sessions.sessions()) size = Math.max(size, openQuestions);
    return { size, max: maxOpenQuestions };
  };
  bounds.hold(
    { name: "heap", whenFull: "refuse", use: heap },
    { name: "connections", whenFull: "refuse", use: () => door.open },
    { name: "sessions", whenFull: "evict", use: () => ({ size: sessions.live, max: sessions.max }) },
    { name: "questions", whenFull: "refuse", use: questions },
    { name: "parked_calls", whenFull: "evict", use: () => ({ size: parked.size, max: parked.max }) },
    { name: "subscriptions", whenFull: "refuse", use: () => subscriptions.fullest },
    { name: "event_streams", whenFull: "evict", use: () => mcp.streams },
    { name: "client_bytes", whenFull: "refuse", use: slowest },
    { name: "buffered_bytes", whenFull: "refuse", use: () => budget.use },
    { name: "credentials", whenFull: "evict", use: () => security.remembered },
  );
  bounds.holdEach(servers);
}
