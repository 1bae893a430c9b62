import type { Elsewhere } from "../protocol/elsewhere.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { Backend } from "./backend.ts";
import type { Instance } from "./instance.ts";

/** The part of a call that decides where it goes. */
export type Placing = Pick<Exchange, "avoid" | "place" | "remainingMs">;

/** Who leases an instance, as far as it decides who gives way when all are leased. */
export interface LeaseHolder {
  /** Who is authenticated; undefined when nobody is known. */
  readonly caller: string | undefined;
  /** Does its client read a stream, or hold a connection, now? Absent for one that has none between its calls. */
  readonly attached?: boolean;
  /** It tries other hosts, of which this is known, when this one has none free: it is refused at once. Absent for one that waits. */
  readonly elsewhere?: Elsewhere | undefined;
  /** Tells a gateway, which is there for clients that have gone too, that others wait. Does nothing for other clients. */
  wanted?(): void;
}

/** What is known of the clients that lease instances. */
export interface LeaseClients {
  /** Does the client of a lease read a stream, or hold a connection, now? */
  attached(lease: string, holder: LeaseHolder): boolean;
  /**
   * Gives up a call at one of these backends whose client was asked something and has not come back for long; false when there
   * is none.
   */
  giveUpParked(backends: ReadonlySet<object>): boolean;
}

/** Instances that owners have to themselves, of those that there can be. */
export interface LeaseCount {
  readonly used: number;
  readonly max: number;
}

/** The instances of one fleet, under one of the isolation rules. */
export interface InstanceSource {
  /** All sessions that exist now, in the order in which they were started. */
  readonly instances: readonly Instance[];
  /** Where calls may go: what is balanced, checked and ejected. None when each owner has a process to itself. */
  readonly backends: readonly Backend[];
  /** Calls and sessions that wait for an instance. */
  readonly waiting: number;
  /** Absent where owners share instances, or something else runs them. */
  readonly leases?: LeaseCount;
  /** A ready instance for a call of this owner (a client session, or one REST request); undefined when there is a wait. */
  pick(owner: string, placing: Placing): Instance | undefined;
  /** The same for a call that can wait. Rejects with the reason when no instance comes up in time. */
  acquire(owner: string, placing: Placing, holder?: LeaseHolder): Promise<Instance>;
  /** Any ready instance, for what it said before anybody used it: its name, its capabilities. */
  peek(): Promise<Instance>;
  /**
   * A ready instance without the state of any one owner, for lists that all are shown; if possible none of those to avoid.
   * Rejects with POOL_EXHAUSTED.
   */
  blank(avoid?: Set<object>): Promise<Instance>;
  /** Has this owner an instance to itself, with what it keeps between calls? */
  keeps(owner: string): boolean;
  /** How many owners have. */
  readonly kept: number;
  /** The one owner that an instance serves; undefined when it may serve any. */
  ownerOf(instance: Instance): string | undefined;
  /** Others wait for this instance: it is given back if its client has gone. */
  wanted?(instance: Instance): void;
  /** The owner has gone; what it alone used is ended. */
  release(owner: string): Promise<void>;
  /** The state of an instance, or of where it runs, has changed. */
  refresh(): void;
  /** Ends what has been idle for too long and keeps the warm ones warm; called every few seconds. */
  tend(): void;
  close(): Promise<void>;
}

/** Bounds of one fleet. */
export interface InstanceLimits {
  readonly minInstances: number;
  readonly maxInstances: number;
  readonly targetInFlight: number;
  /** How long a caller waits for an instance. */
  readonly connectMs: number;
  /** How long an instance may be unused. */
  readonly idleMs: number;
  /** How long a call may take: a leased instance that is silent past every deadline is given up. Defaults to never. */
  readonly requestMs?: number;
}

/** Resolves when one of them is ready; rejects with the first one's reason when none is. */
export async function anyReady(instances: readonly Instance[], withinMs: number): Promise<void> {
  await Promise.any(instances.map((instance) => instance.ready(withinMs))).catch((error) => {
    throw (error as AggregateError).errors[0];
  });
}
