import { FleetError } from "../errors.ts";
import { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";

/** A tool as its server describes it; the gateway looks at the name and relays the rest. */
export interface ToolDescription {
  readonly name: string;
  readonly [key: string]: unknown;
}

/** A prompt as its server describes it. */
export interface PromptDescription {
  readonly name: string;
  readonly [key: string]: unknown;
}

interface Kinds {
  readonly tools: ToolDescription;
  readonly prompts: PromptDescription;
}
export type CatalogKind = keyof Kinds;

/** Pages of one list that are read before a server is taken to count in circles. */
const maxPages = 100;

export interface CatalogOptions {
  readonly fleet: string;
  readonly timeoutMs: number;
  /** Asks any ready instance. */
  readonly ask: (method: string, params: Params | undefined, exchange: Exchange) => Promise<RpcReply>;
  /** Does the server declare the capability? Without it the list is empty. */
  readonly offers: (kind: CatalogKind) => Promise<boolean>;
}

/**
 * What a fleet offers, read once and kept until the server says that it changed (`list_changed`) or another version of
 * it comes up. Lists do not depend on the session (server/tools), so one copy serves all.
 */
export class Catalog {
  readonly #options: CatalogOptions;
  readonly #lists = new Map<CatalogKind, Promise<readonly Kinds[CatalogKind][]>>();
  #toolCount: number | undefined;

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /** Tools in the last list that was read; undefined before. */
  get toolCount(): number | undefined {
    return this.#toolCount;
  }

  list<Kind extends CatalogKind>(kind: Kind): Promise<readonly Kinds[Kind][]> {
    let list = this.#lists.get(kind);
    if (list === undefined) {
      list = this.#read(kind);
      this.#lists.set(kind, list);
      // A failure is not kept: the next caller asks again.
      list.catch(() => this.#lists.delete(kind));
    }
    return list as Promise<readonly Kinds[Kind][]>;
  }

  invalidate(kind?: CatalogKind): void {
    if (kind === undefined) this.#lists.clear();
    else this.#lists.delete(kind);
  }

  async #read(kind: CatalogKind): Promise<readonly Kinds[CatalogKind][]> {
    const { fleet, ask, offers, timeoutMs } = this.#options;
    const items: Kinds[CatalogKind][] = [];
    let cursor: unknown;
    const present = await offers(kind);
    for (let page = 0; present && page < maxPages; page += 1) {
      const reply = await ask(`${kind}/list`, cursor === undefined ? undefined : { cursor }, new Exchange(timeoutMs));
      if ("error" in reply) {
        throw new FleetError("UPSTREAM_PROTOCOL", `${fleet}: ${kind}/list failed: ${reply.error.message}`);
      }
      const result = reply.result as { [key: string]: unknown; nextCursor?: unknown };
      items.push(...((result[kind] as Kinds[CatalogKind][] | undefined) ?? []));
      cursor = result.nextCursor;
      if (cursor === undefined || cursor === null) break;
    }
    if (kind === "tools") this.#toolCount = items.length;
    return items;
  }
}
