/** Health of a fleet: `ready` serves, `starting` is about to, `failed` says why in `error`, `idle` has been scaled to zero. */
export type FleetHealth = "ready" | "starting" | "failed" | "idle";

/** A fleet as operators see it. */
export interface FleetStatus {
  readonly name: string;
  readonly type: string;
  /** Of a preset its package's version, which the server may not know; of another server what it says of itself. */
  readonly version: string;
  readonly isolation: string;
  readonly source: string;
  readonly instances: { readonly ready: number; readonly total: number; readonly max: number };
  readonly inFlight: number;
  readonly waiting: number;
  readonly restarts: number;
  readonly health: FleetHealth;
  readonly tools: number | null;
  /** Start of the fastest instance in milliseconds, handshake included. */
  readonly startupMs: number | null;
  readonly error?: string;
}
