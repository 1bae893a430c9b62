import type { Catalog } from "../../registry/catalog.ts";
import type { FleetClient } from "../../registry/fleet.ts";

/** The lists of one server, as far as they were read. */
export interface ToolLists {
  readonly catalog: Pick<Catalog, "tool" | "toolCount">;
  catalogFor(client: FleetClient): Pick<Catalog, "tool">;
}

/** Stands for all names that a server does not list. No name has a line break (`subjectName`). */
const unlisted = "\n";

/**
 * The name under which a call is counted. Names that the server does not list share one, because a caller can invent them without
 * end, and the counters of real tools would make room for theirs.
 */
export function countedTool(lists: ToolLists, client: FleetClient, name: string): string {
  const { catalog } = lists;
  if (catalog.toolCount === undefined || catalog.tool(name) !== undefined) return name;
  return lists.catalogFor(client).tool(name) === undefined ? unlisted : name;
}
