import type { Logger } from "pino";
import type { ResolvedServer } from "../config/index.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { TaskIds } from "../protocol/task-ids.ts";
import type { Connector } from "../upstreams/upstream-session.ts";
import type { StrategyFactory } from "./balancing/strategy.ts";
import type { ListCapability, ToolDescription } from "./catalog.ts";
import type { Fleet } from "./fleet.ts";
import type { FleetStage } from "./fleet-call.ts";
import type { RemoteOptions } from "./fleet-instances.ts";

/** What a fleet is made of. */
export interface FleetOptions {
  /** Without its secrets. `perCaller`: each caller has credentials of its own there. */
  readonly server: Omit<ResolvedServer, "credentials"> & { readonly isolation: string; readonly perCaller?: boolean };
  /** Starts local processes; a fleet has either this or `remote`. */
  readonly connector?: Connector;
  readonly remote?: RemoteOptions;
  /** The load balancing strategy that the configuration names. */
  readonly strategy: StrategyFactory;
  /** Ids of its tasks towards clients; without, clients are given the server's own. */
  readonly taskIds?: TaskIds | undefined;
  /**
   * Does a subscription of a caller, or a session of one with a name of its own (`named`), have an open stream or
   * connection? Defaults to no.
   */
  readonly callerAttached?: ((caller: string, named: boolean) => boolean) | undefined;
  /** Gives up a call at one of these backends whose stateless client was asked something and has not come back for long. */
  readonly giveUpParked?: ((backends: ReadonlySet<object>) => boolean) | undefined;
  /** Other fleets, for `fallback`. */
  readonly fleetNamed: (name: string) => Fleet | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Numbers from 0 up to 1. */
  readonly random: () => number;
  /** Around the choice of an instance, outermost first: response cache, coalescing, priority queue. Defaults to none. */
  readonly stages?: readonly FleetStage[];
  /** Of a list of tools that was read, those that may be shown. Defaults to all. */
  readonly screen?: (tools: readonly ToolDescription[]) => readonly ToolDescription[];
  /** The same for the list of one owner's instance, from which nothing is learnt about others. Defaults to all. */
  readonly screenOwn?: (tools: readonly ToolDescription[]) => readonly ToolDescription[];
  /** The fleet's list of this kind has changed. */
  readonly onListChanged: (fleet: Fleet, kind: ListCapability) => void;
  /** The contents of a resource have changed. */
  readonly onUpdated?: (uri: string) => void;
}
