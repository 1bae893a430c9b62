import { FleetError } from "../errors.ts";
import { bridgedCapabilities } from "../protocol/client-requests.ts";
import { declareElsewhere, type Elsewhere } from "../protocol/elsewhere.ts";
import { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { RawReply } from "../protocol/raw-reply.ts";
import { upstreamRevisions } from "../protocol/revisions.ts";
import { excerpt } from "../secret-guard.ts";
import { serverInfoOf } from "./server-info.ts";
import type { ServerDescription } from "./upstream-session.ts";

/** How the gateway names itself to servers. */
export interface GatewayIdentity {
  readonly name: string;
  readonly version: string;
}

/** Characters of what a server says of itself: it is kept, and each client gets it. */
const maxDescription = 1024 * 1024;
/** Characters of the reason why a server refuses: the log repeats it, and each caller hears it. */
const maxReason = 500;

/** Throws UPSTREAM_PROTOCOL when a server says too much of itself, in `initialize` or `server/discover`. */
export function checkDescription(server: string, method: string, reply: RpcReply | undefined): void {
  if (!(reply instanceof RawReply) || reply.text.length <= maxDescription) return;
  const text = `${server}: the answer to ${method} exceeds ${maxDescription} characters; shorten what the server says of itself`;
  throw new FleetError("UPSTREAM_PROTOCOL", text);
}

/** Rethrows why a question of the handshake has failed; one without an answer is bounded by `timeouts.connectMs`, unlike a call. */
export const silentAt =
  (method: string, server: string, timeoutMs: number) =>
  (error: unknown): never => {
    if (!(error instanceof FleetError && error.code === "REQUEST_TIMEOUT")) throw error;
    const fix = "raise timeouts.connectMs of this server if it needs longer to start";
    throw new FleetError("REQUEST_TIMEOUT", `${server}: no answer to ${method} within ${timeoutMs} ms; ${fix}`);
  };

/** The part of a session that the handshake needs. */
export interface HandshakePeer {
  request(method: string, params: Params | undefined, exchange: Exchange): Promise<RpcReply>;
}

/**
 * `initialize` of the session-era revisions (basic/lifecycle). Declares every client capability, because a session may
 * serve several clients; what the client of a call lacks is refused then. `elsewhere`: a server host need not let it wait. The caller sends `notifications/initialized`.
 */
export async function initialize(
  peer: HandshakePeer,
  server: string,
  clientInfo: GatewayIdentity,
  timeoutMs: number,
  elsewhere?: Elsewhere,
): Promise<ServerDescription> {
  const capabilities =
    elsewhere === undefined
      ? bridgedCapabilities
      : { ...bridgedCapabilities, experimental: declareElsewhere(elsewhere) };
  const params = { protocolVersion: upstreamRevisions[0], capabilities, clientInfo };
  const reply = await peer
    .request("initialize", params, new Exchange(timeoutMs))
    .catch(silentAt("initialize", server, timeoutMs));
  checkDescription(server, "initialize", reply);
  if ("error" in reply) {
    const why = excerpt(String(reply.error.message), maxReason);
    throw new FleetError("UPSTREAM_PROTOCOL", `${server}: the server refused to initialize: ${why}`);
  }
  const result = reply.result as Partial<ServerDescription> | null;
  if (typeof result?.protocolVersion !== "string" || typeof result.capabilities !== "object") {
    throw new FleetError("UPSTREAM_PROTOCOL", `${server}: the answer to initialize is not one of MCP`);
  }
  if (!(upstreamRevisions as readonly string[]).includes(result.protocolVersion)) {
    const known = upstreamRevisions.join(", ");
    throw new FleetError(
      "UPSTREAM_PROTOCOL",
      `${server}: the server speaks MCP ${result.protocolVersion}, the gateway ${known}; use a version of the server that does`,
    );
  }
  return {
    protocolVersion: result.protocolVersion,
    modern: false,
    capabilities: result.capabilities ?? {},
    serverInfo: serverInfoOf(result.serverInfo, server),
    ...(result.instructions === undefined ? {} : { instructions: result.instructions }),
  };
}
