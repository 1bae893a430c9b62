import { join } from "node:path";
import type { Logger } from "pino";
import type { ResolvedServer } from "../../config/index.ts";
import type { SecurityMetrics } from "../../observability/security-metrics.ts";
import { type HeldTool, ToolIntegrity } from "./tool-integrity.ts";

export type { ToolIntegrity } from "./tool-integrity.ts";

export interface IntegrityDeskOptions {
  readonly stateDirectory: string | undefined;
  readonly metrics: SecurityMetrics;
  readonly log: Logger;
  /** A tool of the server was approved: its list is to be read again. */
  readonly onApproved: (server: string) => void;
}

/** The integrity of all servers' tools, and the place where operators approve. */
export class IntegrityDesk {
  readonly #options: IntegrityDeskOptions;
  readonly #servers = new Map<string, ToolIntegrity>();

  constructor(options: IntegrityDeskOptions) {
    this.#options = options;
  }

  /** The one of a fleet that is being made; it takes the place of its predecessor's. */
  open({ name, integrity }: ResolvedServer): ToolIntegrity {
    const { stateDirectory, metrics, log } = this.#options;
    const file = stateDirectory === undefined ? undefined : join(stateDirectory, "integrity", `${name}.json`);
    const opened = new ToolIntegrity({ server: name, integrity, file, metrics, log: log.child({ server: name }) });
    this.#servers.set(name, opened);
    return opened;
  }

  /** `GET /integrity`, and `POST /integrity/<server>` with `{ "tool": …, "digest": … }`; undefined for another path. */
  handle(method: string, { pathname }: URL, body: unknown): unknown {
    const [, root, server = "", ...more] = pathname.split("/");
    if (root !== "integrity" || more.length > 0) return undefined;
    if (method === "GET" && server === "") return this.#held();
    const integrity = this.#servers.get(decodeURIComponent(server));
    const { tool, digest } = (body ?? {}) as { tool?: unknown; digest?: unknown };
    if (method !== "POST" || integrity === undefined || typeof tool !== "string") return undefined;
    const approved = integrity.approve(tool, typeof digest === "string" ? digest : undefined);
    this.#options.onApproved(server);
    return approved;
  }

  #held(): Record<string, readonly HeldTool[]> {
    return Object.fromEntries([...this.#servers].map(([name, { held }]) => [name, held]));
  }
}
