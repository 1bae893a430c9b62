import type { ResolvedConfig } from "../config/index.ts";
import type { Succession } from "../listeners/ports.ts";
import type { RefusedChange } from "../registry/fleet-registry.ts";
import type { Place } from "./place.ts";
import type { Sockets } from "./roster.ts";

/** From the supervisor to a worker. */
export type ToWorker =
  | {
      readonly kind: "start";
      readonly slot: number;
      readonly place: Omit<Place, "roster">;
      readonly sockets: Sockets;
      readonly config: ResolvedConfig;
      readonly secrets: readonly string[];
      readonly stateDirectory: string | undefined;
      readonly succession: Succession | undefined;
    }
  | { readonly kind: "roster"; readonly sockets: Sockets }
  | {
      readonly kind: "apply";
      readonly id: number;
      readonly config: ResolvedConfig;
      readonly secrets: readonly string[];
    }
  | { readonly kind: "drain"; readonly lingerMs: number | undefined }
  /** Another worker has refused a credential from there. */
  | { readonly kind: "failure"; readonly network: string };

/** From a worker to the supervisor. */
export type FromWorker =
  | { readonly kind: "listening"; readonly url: string | undefined; readonly tcpPort: number | undefined }
  /** What became of an `apply`: the changes that are not in force. */
  | { readonly kind: "applied"; readonly id: number; readonly refused: readonly RefusedChange[] }
  | { readonly kind: "failed"; readonly code: string | undefined; readonly message: string }
  | { readonly kind: "failure"; readonly network: string };
