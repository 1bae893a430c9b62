import type { Instance } from "./instance.ts";

/** The instances of one fleet, under one of the isolation rules. */
export interface InstanceSource {
  /** All that exist now, in the order in which they were started. */
  readonly instances: readonly Instance[];
  /** Calls and sessions that wait for an instance. */
  readonly waiting: number;
  /** A ready instance for a call of this owner (a client session, or one REST request). */
  acquire(owner: string): Promise<Instance>;
  /** Any ready instance, for questions whose answer depends on no session: lists of tools, health. */
  peek(): Promise<Instance>;
  /** The one owner that an instance serves; undefined when it may serve any. */
  ownerOf(instance: Instance): string | undefined;
  /** The owner has gone; what it alone used is ended. */
  release(owner: string): Promise<void>;
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
}
