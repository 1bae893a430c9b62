import { ExactNumber } from "../protocol/exact-number.ts";

/** Members of an object that are noted, their texts' length, and how deep: a line of a few KB at most. */
const maxMembers = 16;
const maxChars = 100;
const maxDepth = 2;

/** What a caller wants noted of its request, as far as that leaves room in the log for others. */
export function loggedMetadata(metadata: unknown, depth = 0): unknown {
  if (typeof metadata === "string") return cut(metadata);
  if (typeof metadata !== "object" || metadata === null || metadata instanceof ExactNumber) return metadata;
  if (depth > maxDepth) return "…";
  if (Array.isArray(metadata)) return metadata.slice(0, maxMembers).map((item) => loggedMetadata(item, depth + 1));
  const noted: [string, unknown][] = [];
  for (const key in metadata) {
    if (noted.length === maxMembers) {
      noted.push(["…", "more"]);
      break;
    }
    noted.push([cut(key), loggedMetadata((metadata as Record<string, unknown>)[key], depth + 1)]);
  }
  return Object.fromEntries(noted);
}

const cut = (text: string): string => (text.length <= maxChars ? text : `${text.slice(0, maxChars)}…`);
