import type { ResolvedConfig } from "./config/index.ts";
import type { Succession } from "./listeners/ports.ts";
import type { MoreRoutes } from "./listeners/rest.ts";
import type { RunningLog } from "./observability/logger.ts";
import type { Strategies } from "./registry/balancing/strategies.ts";
import type { FailureShare } from "./security/failure-limit.ts";
import type { Place } from "./workers/place.ts";

/** What a gateway is started with. */
export interface GatewayOptions {
  readonly config: ResolvedConfig;
  /** Resolved secrets, kept out of the logs. */
  readonly secrets?: readonly string[];
  /** Keeps the session key and the records of running processes; without it both last as long as the process. */
  readonly stateDirectory?: string | undefined;
  /** Load balancing strategies besides the gateway's own. */
  readonly strategies?: Strategies;
  /** Reads the configuration again, for `POST /reload` of the admin listener. */
  readonly reload?: () => Promise<void>;
  /** The admin listener was asked to end the process, and to wait `lingerMs` for its clients to go. */
  readonly onShutdown?: (lingerMs?: number) => void;
  /** Its place among the processes that share its port. Defaults to being the only one. */
  readonly place?: Place;
  /** Descriptor of a socket that listens already, in place of `host` and `port`. */
  readonly socket?: number | undefined;
  /** How it stands to another process that serves the same address. Defaults to refusing one. */
  readonly succession?: Succession | undefined;
  /** Wrong credentials that the gateway's other processes see. Defaults to none. */
  readonly failures?: FailureShare;
  /** Where lines go. Defaults to what the configuration says. */
  readonly log?: RunningLog;
}

/** What makes a gateway smaller or larger than its configuration says. */
export interface GatewayShape {
  /** Without a port, programs call its executor. Defaults to true. */
  readonly listen?: boolean;
  /** `/mcp` is this server, by its own names. Defaults to all servers. */
  readonly only?: string;
  /** Callers are other gateways: they open a session for each of their clients, also where they could do without. Defaults to false. */
  readonly sessionsForGateways?: boolean;
  /** Paths beside those of every gateway. Defaults to none. */
  readonly routes?: MoreRoutes;
}
