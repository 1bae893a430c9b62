import type { Logger } from "pino";
import { defaults } from "../../config/defaults.ts";
import { shownAddress } from "../../config/shown-source.ts";
import { FleetError } from "../../errors.ts";
import { ProcessDriver } from "../../orchestrator/process-driver.ts";
import { DuplexConnector } from "../../upstreams/duplex-connector.ts";
import { remoteConnector } from "../../upstreams/remote-connector.ts";
import { openProcess } from "../../upstreams/stdio-link.ts";
import type { Connector } from "../../upstreams/upstream-session.ts";
import { identity } from "../../version.ts";

/** What a pool's connections speak. */
export const poolProtocols = ["http", "ws", "tcp", "sse", "stdio"] as const;
export type PoolProtocol = (typeof poolProtocols)[number];

/** How a pool's connections are opened and used. Times are in milliseconds. */
export interface PoolClientConfig {
  /** To open a connection, handshake included. Defaults to 30000. */
  readonly connectTimeout?: number;
  /** For one call. Defaults to 120000. */
  readonly timeout?: number;
  /** Of a `stdio` server, whose endpoint is the command. Defaults to none. */
  readonly args?: readonly string[];
  /** Added to a minimal environment of a `stdio` server. Defaults to none. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface PoolConnectorOptions {
  readonly id: string;
  readonly endpoint: string;
  readonly protocol: PoolProtocol;
  readonly client: PoolClientConfig;
  readonly connectMs: number;
  readonly log: Logger;
  readonly now: () => number;
}

const schemes: Readonly<Record<Exclude<PoolProtocol, "stdio">, RegExp>> = {
  http: /^https?:$/,
  sse: /^https?:$/,
  ws: /^wss?:$/,
  tcp: /^tcp:$/,
};

/** Opens the connections of a pool. Throws CONFIG_INVALID for an endpoint that its protocol cannot reach. */
export function poolConnector(options: PoolConnectorOptions): Connector {
  const { id, endpoint, protocol, connectMs, now } = options;
  if (protocol === "stdio") return stdioConnector(options);
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const known = poolProtocols.includes(protocol);
  if (!known || url === undefined || !schemes[protocol].test(url.protocol)) {
    const right = known ? `a URL of ${protocol}` : `for a protocol of ${poolProtocols.join(", ")}, not "${protocol}"`;
    throw new FleetError(
      "CONFIG_INVALID",
      `pool "${id}": endpoint is "${shownAddress(endpoint)}"; it must be ${right}`,
    );
  }
  return remoteConnector({
    fleet: `pool "${id}"`,
    address: endpoint,
    protocol,
    identity,
    connectMs,
    now,
    pool: defaults.pool,
  });
}

function stdioConnector({ id, endpoint, client, connectMs, log, now }: PoolConnectorOptions): Connector {
  const driver = new ProcessDriver({ log });
  const fleet = `pool "${id}"`;
  const spec = { fleet: id, command: endpoint, args: client.args ?? [], env: client.env ?? {} };
  return new DuplexConnector({
    ...{ fleet, source: endpoint, identity, connectMs, now },
    open: (receive) => openProcess(driver, spec, receive),
    failure: (why, cause) =>
      new FleetError("INSTANCE_START_FAILED", `${fleet}: ${endpoint} did not start: ${why}`, { cause }),
  });
}
