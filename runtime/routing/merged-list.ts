import type { Logger } from "pino";
import { FleetError, messageOf } from "../errors.ts";
import type { Params } from "../protocol/json-rpc.ts";
import type { CatalogKind } from "../registry/catalog.ts";
import type { Fleet, FleetClient } from "../registry/fleet.ts";
import { openAccess } from "../security/index.ts";

/** What a merged list waits for one slow server. */
const deadlineMs = 15_000;
/** What it waits for one that was too slow the last time. */
const lateMs = 500;
/** Items of one page. Many clients read only the first, so it is large. */
const pageSize = 1000;

/** One kind of thing that servers list, and how an item of a server reads in the merged list. */
export interface MergedKind<Item> {
  /** Key of the result: `tools`, `prompts`, … */
  readonly key: CatalogKind;
  /** As this client is shown it, or everybody. */
  readonly list: (fleet: Fleet, client?: FleetClient) => Promise<readonly Item[]>;
  readonly show: (fleet: Fleet, item: Item) => unknown;
}

/** All servers' items that the caller may use, in the order of the servers' names; those that cannot answer in time are named. */
export async function merged<Item>(
  fleets: readonly Fleet[],
  { key, list, show }: MergedKind<Item>,
  log: Logger,
  access = openAccess,
  client?: FleetClient,
): Promise<{ readonly items: readonly unknown[]; readonly unavailable: readonly string[] }> {
  const reached = fleets.filter((fleet) => access.reaches(fleet));
  const outcomes = await Promise.allSettled(reached.map((fleet) => withDeadline(list(fleet, client), fleet)));
  const items: unknown[] = [];
  const unavailable: string[] = [];
  outcomes.forEach((outcome, index) => {
    const fleet = reached[index] as Fleet;
    if (outcome.status === "fulfilled") {
      for (const item of access.visible(fleet, key, outcome.value)) items.push(show(fleet, item));
    } else {
      unavailable.push(fleet.name);
      log.warn({ server: fleet.name, list: key }, `left out of the list: ${messageOf(outcome.reason)}`);
    }
  });
  return { items, unavailable };
}

/** One page of them, as a result. */
export async function mergedList<Item>(
  fleets: readonly Fleet[],
  kind: MergedKind<Item>,
  cursor: unknown,
  log: Logger,
  access = openAccess,
  client?: FleetClient,
): Promise<Params> {
  const from = cursor === undefined ? 0 : positionOf(cursor);
  const end = from + pageSize;
  const { items, unavailable } = await merged(fleets, kind, log, access, client);
  return {
    [kind.key]: items.slice(from, end),
    ...(end < items.length ? { nextCursor: Buffer.from(String(end)).toString("base64url") } : {}),
    ...(unavailable.length === 0 ? {} : { _meta: { "mcp-fleet/unavailable": unavailable } }),
  };
}

function positionOf(cursor: unknown): number {
  const text = typeof cursor === "string" ? Buffer.from(cursor, "base64url").toString("latin1") : "";
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new FleetError("INVALID_PARAMS", 'Invalid params: "cursor" is not one that a list gave');
}

async function withDeadline<T>(promise: Promise<T>, { name, catalog }: Fleet): Promise<T> {
  const waitMs = catalog.late ? lateMs : deadlineMs;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      catalog.late = true;
      reject(new FleetError("REQUEST_TIMEOUT", `${name}: no list within ${waitMs} ms`));
    }, waitMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
