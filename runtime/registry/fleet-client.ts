import type { Elsewhere } from "../protocol/elsewhere.ts";

/** For whom a fleet works. */
export interface FleetClient {
  /** A client session, or whatever else keeps state of its own. */
  readonly owner: string;
  /** Who is authenticated behind it; undefined when nobody else may share anything with the owner. */
  readonly caller: string | undefined;
  /** Who is authenticated when that gives no part in a caller's instances, only in the answers kept for the caller. */
  readonly reader?: string | undefined;
  /** Under which name it has an instance to itself, when not the owner's. */
  readonly lease?: string | undefined;
  /** Does it read a stream, or hold a connection, now? Absent for one that has none between its calls. */
  readonly attached?: boolean;
  /** It tries other hosts, of which this is known, when this one has no instance free for it. Absent for one that waits. */
  readonly elsewhere?: Elsewhere | undefined;
  /** Tells a gateway that others wait for what it has leased. */
  wanted?(): void;
  /** Fleets that may hold something for the owner; a fallback adds its own. */
  readonly fleets?: Set<string>;
}
