import { type Fields, refuseUnknown } from "../config/known-fields.ts";
import type { Gateway, Log } from "../config/schema/index.ts";

/** An orchestrator, in the words of the specification. Times are in milliseconds. */
export interface OrchestratorOptions {
  readonly loadBalancer?: {
    /** `round-robin`, `least-connections`, `weighted`, `resource-based`, or `custom:<name>` of a registered one. Defaults to `least-connections`. */
    readonly strategy?: string;
    /** Between two checks of an instance. Defaults to 10000. */
    readonly healthCheckInterval?: number;
    /** Failed checks in a row after which an instance gets no calls. Defaults to 3. */
    readonly unhealthyThreshold?: number;
    /** The program's requests stay with one instance. Defaults to false. */
    readonly stickySession?: boolean;
  };
  readonly monitoring?: {
    /** Between two `metrics` events. Defaults to 15000. */
    readonly metricsInterval?: number;
    /** Defaults to `warn`. */
    readonly logLevel?: NonNullable<Log["level"]>;
  };
  readonly clustering?: {
    readonly enabled: boolean;
    /** Unique in the cluster: 1 to 64 letters, digits, dots, hyphens and underscores. Belongs to this process as long as it lives. */
    readonly nodeId: string;
    /** URL of a `ClusterCoordinator` (`mcp-fleet coordinator`). */
    readonly coordinatorEndpoint: string;
    /** The coordinator's token. Defaults to the file that MCP_FLEET_COORDINATOR_TOKEN_FILE names, else to MCP_FLEET_COORDINATOR_TOKEN. */
    readonly token?: string;
    /** Between two heartbeats, 1000 to 300000. Defaults to 5000. */
    readonly heartbeatInterval?: number;
    /** Where other nodes reach this one; https beyond this machine. Defaults to the address that `listen` gives. */
    readonly advertisedUrl?: string;
  };
  /** Serves clients and other nodes, too. Defaults to no port at all. */
  readonly listen?: ListenOptions;
}

/** Where an orchestrator serves clients and other nodes. */
export interface ListenOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Anything but loopback needs `auth`, or clustering. Defaults to 127.0.0.1. */
  readonly host?: string;
  /** Who may call, as `gateway.auth` of a configuration file. Defaults to everybody on this machine, in a cluster to its nodes. */
  readonly auth?: Gateway["auth"];
  /** As `gateway.tls` of a configuration file. Defaults to none. */
  readonly tls?: Gateway["tls"];
}

const fields: Fields<OrchestratorOptions> = {
  loadBalancer: { strategy: "any", healthCheckInterval: "any", unhealthyThreshold: "any", stickySession: "any" },
  monitoring: { metricsInterval: "any", logLevel: "any" },
  clustering: {
    enabled: "any",
    nodeId: "any",
    coordinatorEndpoint: "any",
    token: "any",
    heartbeatInterval: "any",
    advertisedUrl: "any",
  },
  listen: { port: "any", host: "any", auth: "any", tls: "any" },
};

/** Refuses an option that nobody reads. Throws CONFIG_INVALID, naming it. */
export const checkOrchestrator = (options: OrchestratorOptions): void => refuseUnknown("orchestrator", options, fields);
