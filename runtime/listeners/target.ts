import type { FleetError } from "../errors.ts";
import type { McpService } from "../routing/mcp-service.ts";
import type { Access } from "../security/index.ts";

/** An MCP path and who calls it. */
export interface McpTarget {
  readonly service: McpService;
  /** The fleet of `/mcp/<server>`; undefined at `/mcp`. */
  readonly server: string | undefined;
  readonly caller: string;
  /** When the caller's credential ends, in milliseconds since the epoch. Defaults to never. */
  readonly expiresAt?: number | undefined;
  /** Milliseconds after which `stillAdmitted` is asked again. Defaults to never. */
  readonly recheckMs?: number | undefined;
  /** Bounds of the caller for what the gateway answers itself. Its calls pass through `service`. */
  readonly access: Pick<Access, "enter" | "refusal">;
  /** Calls `look` when other settings are in force, until what it returns is called: a static credential may have been removed. */
  onApplied?(look: () => void): () => void;
  /** Would the caller be let in now, with the same credential? Undefined when that cannot be told yet. */
  stillAdmitted?(): Promise<boolean | undefined>;
}

/** Where messages go that come before the answer to a request: an event stream, a connection. */
export interface Answer {
  /** False when the client has left the connection or the stream on which it waits. Defaults to true. */
  readonly present?: boolean;
  /** False when the client takes no such messages, or has gone. */
  send(message: string): boolean;
  /** Resolves when a client that is slow has read most of what waits for it; undefined while it keeps up. */
  caughtUp?(): Promise<void> | undefined;
  /** Headers that go with the answer, where the transport has some and they have not been sent. */
  headers?(headers: Readonly<Record<string, string>>): void;
  /** The call was refused: what the transport itself says of that, a status and headers. */
  refused?(error: FleetError): void;
}
