import type { UpstreamProtocol } from "../config/schema/index.ts";
import { FleetError, messageOf } from "../errors.ts";
import { DuplexConnector } from "./duplex-connector.ts";
import type { GatewayIdentity } from "./handshake.ts";
import { HttpConnector } from "./http-connector.ts";
import { openSse } from "./sse-link.ts";
import { openTcp } from "./tcp-link.ts";
import type { Connector } from "./upstream-session.ts";
import { openWebSocket } from "./web-socket-link.ts";

export interface RemoteConnectorOptions {
  readonly fleet: string;
  readonly address: string;
  readonly protocol: UpstreamProtocol;
  readonly identity: GatewayIdentity;
  readonly connectMs: number;
  readonly now: () => number;
}

const links = { ws: openWebSocket, tcp: openTcp, sse: openSse };

/** Reaches one instance that something else runs. */
export function remoteConnector({ address, protocol, ...options }: RemoteConnectorOptions): Connector {
  if (protocol === "http") return new HttpConnector({ ...options, endpoint: address });
  const open = links[protocol as keyof typeof links];
  const { fleet, connectMs } = options;
  const failure = (why: string, cause: unknown) => {
    const text = `${fleet}: ${address} cannot be reached (${why}); is the server up?`;
    return new FleetError("UPSTREAM_UNREACHABLE", text, { cause });
  };
  return new DuplexConnector({
    ...{ ...options, source: address, failure },
    open: (receive) =>
      open(new URL(address), connectMs, receive).catch((error) => Promise.reject(failure(messageOf(error), error))),
  });
}
