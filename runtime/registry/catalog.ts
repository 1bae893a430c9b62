import type { Logger } from "pino";
import { FleetError } from "../errors.ts";
import { orAfter } from "../or-after.ts";
import { keyOf as cursorKey, plainNumber } from "../protocol/exact-number.ts";
import { Exchange } from "../protocol/exchange.ts";
import type { Params, RpcReply } from "../protocol/json-rpc.ts";
import { maxValues, valuesIn } from "../protocol/json-shape.ts";
import { RawReply } from "../protocol/raw-reply.ts";
import { excerpt } from "../secret-guard.ts";

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

/** A resource as its server describes it. */
export interface ResourceDescription {
  readonly uri: string;
  readonly [key: string]: unknown;
}

/** A resource template (RFC 6570) as its server describes it. */
export interface TemplateDescription {
  readonly uriTemplate: string;
  readonly [key: string]: unknown;
}

interface Kinds {
  readonly tools: ToolDescription;
  readonly prompts: PromptDescription;
  readonly resources: ResourceDescription;
  readonly resourceTemplates: TemplateDescription;
}
export type CatalogKind = keyof Kinds;
/** What tells the entries of a list apart. */
const keyOf: Readonly<Record<CatalogKind, string>> = {
  tools: "name",
  prompts: "name",
  resources: "uri",
  resourceTemplates: "uriTemplate",
};
/** The capabilities under which servers declare their lists. */
export type ListCapability = "tools" | "prompts" | "resources";

const listMethods = {
  tools: "tools/list",
  prompts: "prompts/list",
  resources: "resources/list",
  resourceTemplates: "resources/templates/list",
} as const;

const capabilityOf = (kind: CatalogKind): ListCapability => (kind === "resourceTemplates" ? "resources" : kind);

/** Pages of one list that are read before a server is taken to count in circles. */
const maxPages = 100;
/** Entries of one list. Servers with the most offer some thousands. */
export const maxEntries = 20_000;
/** Characters of all pages of one list; beyond it the parser would keep everybody waiting. A tool takes one or two thousand. */
export const maxListLength = 16 * 1024 * 1024;
/** Values in all pages of one list: each is looked at, kept, and written for each client. A tool takes twenty or thirty. */
const maxListValues = 2 * maxValues;
/** Characters of the reason why a server gives no list. */
const maxReason = 500;
/** How long a list is kept whose server says neither when it changes nor how long it holds (`ttlMs`). */
const unannouncedMs = 30_000;
/** A list that is due is shown as it was when the server does not give a new one in so long, */
const refreshMs = 250;
/** and for as long as it is not older than this: a server that is away for a moment keeps its tools. */
const longestStaleMs = 10 * 60_000;

export interface CatalogOptions {
  readonly fleet: string;
  /** For one list, with all of its pages. */
  readonly timeoutMs: number;
  readonly now: () => number;
  /** Where a list that is cut short is noted. Defaults to nowhere. */
  readonly log?: Logger | undefined;
  /** Of a list of tools that was read, those that may be shown. Defaults to all. */
  readonly screen?: ((tools: readonly ToolDescription[]) => readonly ToolDescription[]) | undefined;
  /** Asks a ready instance. */
  readonly ask: (method: string, params: Params | undefined, exchange: Exchange) => Promise<RpcReply>;
  /** What the server declares of a kind; undefined means that its list is empty. */
  readonly offers: (capability: ListCapability) => Promise<{ readonly listChanged?: boolean } | undefined>;
}

interface Kept {
  list: Promise<readonly unknown[]>;
  /** It has come. */
  read: boolean;
  until: number;
  /** When it was read. */
  since: number;
}

/**
 * What a fleet offers, read once and kept until the server says that it changed (`list_changed`) or another version of
 * it comes up. Lists do not depend on the session (server/tools), so one copy serves all.
 */
export class Catalog {
  readonly #options: CatalogOptions;
  readonly #lists = new Map<CatalogKind, Kept>();
  readonly #sizes = new Map<CatalogKind, number>();
  #tools: ReadonlyMap<string, ToolDescription> | undefined;
  /** The last list was not there in the time that somebody could wait; who asks next need not wait as long. */
  late = false;

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /** Tools in the last list that was read; undefined before. */
  get toolCount(): number | undefined {
    return this.#tools?.size;
  }

  /** How full the fullest of its lists is, 0 to 1 of `maxEntries`; 1 is a list that was cut short. */
  get utilization(): number {
    return Math.max(0, ...this.#sizes.values()) / maxEntries;
  }

  /** A tool of the last list that was read; asks nobody. */
  tool(name: string): ToolDescription | undefined {
    return this.#tools?.get(name);
  }

  /** Is the list of tools there, and as fresh as it has to be? Then `tool` knows what `list` would say. */
  get hasTools(): boolean {
    const kept = this.#lists.get("tools");
    return kept?.read === true && this.#options.now() < kept.until;
  }

  list<Kind extends CatalogKind>(kind: Kind): Promise<readonly Kinds[Kind][]> {
    let kept = this.#lists.get(kind);
    if (kept === undefined || this.#options.now() >= kept.until) {
      kept = this.#refresh(kind, kept);
      this.#lists.set(kind, kept);
    }
    return kept.list as Promise<readonly Kinds[Kind][]>;
  }

  invalidate(capability?: ListCapability): void {
    for (const kind of [...this.#lists.keys()]) {
      if (capability === undefined || capabilityOf(kind) === capability) this.#lists.delete(kind);
    }
  }

  #refresh(kind: CatalogKind, old: Kept | undefined): Kept {
    const { now } = this.#options;
    const read = this.#read(kind, (until) => (fresh.until = until));
    const fresh: Kept = { list: read, read: false, until: Number.POSITIVE_INFINITY, since: now() };
    const usable = old !== undefined && now() - old.since < longestStaleMs ? old : undefined;
    if (usable !== undefined)
      fresh.list = orAfter(
        read.catch(() => usable.list),
        refreshMs,
        usable.list,
      );
    else if (old !== undefined)
      fresh.list = read.catch((error) => (nobodyIsFree(error) ? old.list : Promise.reject(error)));
    read.then(
      () => {
        fresh.list = read;
        fresh.read = true;
        this.late = false;
      },
      (error) => {
        if (this.#lists.get(kind) !== fresh) return;
        const kept = usable ?? (nobodyIsFree(error) ? old : undefined);
        // A failure is not kept: the next caller asks again.
        if (kept === undefined) this.#lists.delete(kind);
        else this.#lists.set(kind, { ...kept, until: now() + unannouncedMs });
      },
    );
    return fresh;
  }

  async #read(kind: CatalogKind, keepUntil: (time: number) => void): Promise<readonly unknown[]> {
    const { fleet, ask, offers, timeoutMs, now } = this.#options;
    const method = listMethods[kind];
    const items = new Map<unknown, unknown>();
    const seen = new Set<unknown>();
    let cursor: unknown;
    let length = 0;
    let values = 0;
    let entries = 0;
    let freshUntil = Number.POSITIVE_INFINITY;
    const declared = await offers(capabilityOf(kind));
    if (declared?.listChanged !== true) keepUntil(now() + unannouncedMs);
    // All of its pages together have the time of one request: calls wait for this list.
    const endsAt = now() + timeoutMs;
    for (let page = 1; declared !== undefined; page += 1) {
      const exchange = new Exchange(timeoutMs);
      exchange.remainingMs = Math.max(1, endsAt - now());
      const reply = await ask(method, cursor === undefined ? undefined : { cursor }, exchange);
      if ("error" in reply) {
        // Servers with resources need not have templates.
        if (reply.error.code === -32601 && kind === "resourceTemplates") break;
        const why = excerpt(String(reply.error.message), maxReason);
        throw new FleetError("UPSTREAM_PROTOCOL", `${fleet}: ${method} failed: ${why}`);
      }
      length += lengthOf(reply);
      if (length > maxListLength) {
        const text = `${fleet}: ${method}: the list exceeds ${maxListLength} characters; let the server offer less`;
        throw new FleetError("UPSTREAM_PROTOCOL", text);
      }
      values += reply instanceof RawReply ? valuesIn(reply.text) : 0;
      if (values > maxListValues) {
        const text = `${fleet}: ${method}: the list has more than ${maxListValues} values; let the server offer less`;
        throw new FleetError("UPSTREAM_PROTOCOL", text);
      }
      const result = reply.result as { [key: string]: unknown; nextCursor?: unknown; ttlMs?: unknown } | null;
      // The list is as fresh as its oldest page (server/utilities/caching).
      const ttlMs = plainNumber(result?.ttlMs);
      if (typeof ttlMs === "number" && ttlMs > 0) freshUntil = Math.min(freshUntil, now() + ttlMs);
      entries += collect(keyOf[kind], result?.[kind], items);
      cursor = result?.nextCursor;
      const problem = items.size > maxEntries ? `has more than ${maxEntries} entries` : problemOf(cursor, seen, page);
      if (problem !== undefined) this.#options.log?.warn({ fleet, method, page }, `the list ${problem}: it ends here`);
      if (problem !== undefined || cursor === undefined || cursor === null) break;
    }
    const leftOut = entries - items.size;
    if (leftOut > 0) {
      const text = `entries of the list without a ${keyOf[kind]}, or with one that came before, are left out`;
      this.#options.log?.warn({ fleet, method, leftOut }, text);
    }
    this.#sizes.set(kind, Math.min(items.size, maxEntries));
    if (freshUntil < Number.POSITIVE_INFINITY) keepUntil(freshUntil);
    const list = [...items.values()].slice(0, maxEntries);
    if (kind !== "tools") return list;
    const tools = this.#options.screen?.(list as ToolDescription[]) ?? (list as ToolDescription[]);
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    return tools;
  }
}

/** Every instance is somebody's own: the old list is as good as it was, whatever its age. */
const nobodyIsFree = (error: unknown): boolean => error instanceof FleetError && error.code === "POOL_EXHAUSTED";

/** Adds the entries of a page, each name once; returns how many the page has. */
function collect(key: string, page: unknown, items: Map<unknown, unknown>): number {
  if (!Array.isArray(page)) return 0;
  for (const entry of page) {
    const name = (entry as Params | null)?.[key];
    // Half a surrogate pair has no UTF-8: such a name fits no URL, and nobody could call it.
    if (typeof name === "string" && name.isWellFormed() && !items.has(name)) items.set(name, entry);
  }
  return page.length;
}

/** Characters of a page, as far as they can be told without an effort. */
function lengthOf(reply: RpcReply): number {
  return reply instanceof RawReply ? reply.text.length : 0;
}

/** Why a list has no further page though it has a cursor; undefined when it has one, or none. */
function problemOf(cursor: unknown, seen: Set<unknown>, page: number): string | undefined {
  if (cursor === undefined || cursor === null) return undefined;
  const key = cursorKey(cursor);
  if ((typeof key !== "string" && typeof key !== "number" && typeof key !== "bigint") || key === "")
    return "has a cursor that is none";
  if (seen.has(key)) return "comes back to a cursor that it has given before";
  if (page >= maxPages) return `has more than ${maxPages} pages`;
  seen.add(key);
  return undefined;
}
