import { parseJson } from "./exact-json.ts";
import type { Params } from "./json-rpc.ts";
import type { DownstreamRevision } from "./revisions.ts";
import { Sealer, type SealingKey } from "./sealer.ts";

/** What a session id carries, so that any worker, replica or restarted gateway serves the session without a store. */
export interface SessionClaims {
  /** Random, unique per session. */
  readonly id: string;
  readonly revision: DownstreamRevision;
  /** The fleet of `/mcp/<server>`; undefined at the federated `/mcp`. */
  readonly server: string | undefined;
  /** Who opened it; another caller's use is refused. */
  readonly caller: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  /** Slot of the worker process that keeps what the id cannot carry; 0 where there is only one. */
  readonly worker: number;
  /** What the client declared in `initialize`, so that any gateway knows what it may be asked. */
  readonly client: ClientDeclaration;
}

/** `capabilities` and `clientInfo` of `initialize` (basic/lifecycle). */
export interface ClientDeclaration {
  readonly capabilities: Params;
  readonly clientInfo: Params | undefined;
}

/** What is sealed, in the order in which it stands there; earlier versions sealed no worker. */
type Sealed = [
  id: string,
  revision: DownstreamRevision,
  server: string | null,
  caller: string,
  openedAt: number,
  capabilities: Params,
  clientInfo: Params | null,
  worker?: number,
];

/** Seals session ids: visible ASCII, as MCP asks (basic/transports). */
export class SessionSealer {
  readonly #sealer: Sealer;

  constructor(keys: readonly SealingKey[]) {
    this.#sealer = new Sealer("session", keys);
  }

  seal({ id, revision, server, caller, openedAt, worker, client }: SessionClaims): string {
    const { capabilities, clientInfo } = client;
    return this.#sealer.seal(
      JSON.stringify([id, revision, server ?? null, caller, openedAt, capabilities, clientInfo ?? null, worker]),
    );
  }

  /** The claims, or undefined for an id that no key of ours has sealed. */
  open(text: string): SessionClaims | undefined {
    const plain = this.#sealer.open(text);
    if (plain === undefined) return undefined;
    const [id, revision, server, caller, openedAt, capabilities, clientInfo, worker = 0] = parseJson(plain) as Sealed;
    const client = { capabilities, clientInfo: clientInfo ?? undefined };
    return { id, revision, server: server ?? undefined, caller, openedAt, worker, client };
  }
}
