import type { ResolvedServer } from "../config/index.ts";
import type { UpstreamProtocol } from "../config/schema/index.ts";
import { shownAddress } from "../config/shown-source.ts";
import { FleetError, messageOf } from "../errors.ts";
import { type Credentials, headersOfLines } from "./credentials/index.ts";
import { DuplexConnector } from "./duplex-connector.ts";
import type { GatewayIdentity } from "./handshake.ts";
import { HttpConnector } from "./http-connector.ts";
import { openSse } from "./sse-link.ts";
import { openTcp } from "./tcp-link.ts";
import type { Connector } from "./upstream-session.ts";
import type { UpstreamTls } from "./upstream-tls.ts";
import { openWebSocket } from "./web-socket-link.ts";

export interface RemoteConnectorOptions {
  readonly fleet: string;
  readonly address: string;
  readonly protocol: UpstreamProtocol;
  readonly identity: GatewayIdentity;
  readonly connectMs: number;
  readonly now: () => number;
  /** Bounds of connections over HTTP. */
  readonly pool: ResolvedServer["pool"];
  /** What requests carry so that the server lets them in. */
  readonly credentials?: Credentials | undefined;
  /** Defaults to what the system believes, and no certificate of the gateway's. */
  readonly tls?: UpstreamTls | undefined;
}

const links = { ws: openWebSocket, tcp: openTcp, sse: openSse };

/** Reaches one instance that something else runs. */
export function remoteConnector({ address, protocol, ...options }: RemoteConnectorOptions): Connector {
  if (protocol === "http") return new HttpConnector({ ...options, endpoint: address });
  const open = links[protocol as keyof typeof links];
  const { fleet, connectMs, credentials, tls } = options;
  const failure = (why: string, cause: unknown) => {
    const text = `${fleet}: ${shownAddress(address)} cannot be reached (${why}); is the server up?`;
    return new FleetError("UPSTREAM_UNREACHABLE", text, { cause });
  };
  return new DuplexConnector({
    ...{ ...options, source: address, failure },
    open: async (receive) => {
      const url = new URL(address);
      const headers = headersOfLines(await credentials?.linesFor(url, undefined));
      return open(url, connectMs, receive, headers, tls).catch((error) =>
        Promise.reject(failure(messageOf(error), error)),
      );
    },
  });
}
