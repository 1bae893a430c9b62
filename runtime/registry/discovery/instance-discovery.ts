import type { BackendSpec } from "../backend.ts";

/** Told the whole set each time something of it has changed. */
export type FoundListener = (found: readonly BackendSpec[]) => void;

/** Largest list of instances that is read, in bytes; thousands of containers or pods fit. */
export const maxListBytes = 64 * 1024 * 1024;

/** One way to find instances that something else runs. */
export interface InstanceDiscovery {
  /** For people and for telling the findings of several apart: `dns weather.internal`. */
  readonly name: string;
  /** Begins to look. Failures are logged and tried again; what was found last stays in force meanwhile. */
  start(listener: FoundListener): void;
  /** Ends at once; the listener is not called any more. */
  close(): Promise<void>;
}
