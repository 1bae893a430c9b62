import { hash } from "node:crypto";
import { canonicalJson } from "../../performance/canonical-json.ts";
import { withNumbers } from "../../protocol/exact-number.ts";
import type { ToolDescription } from "../../registry/catalog.ts";

/** What no description needs: control characters besides tab and line ends, bidirectional overrides, invisible tag characters. */
const hidden = /[\p{Cc}\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;
const harmless = /[\t\n\r]/g;
/** Nesting of a schema that is looked through. */
const maxDepth = 40;

/**
 * SHA-256 of everything that a server says of a tool but `_meta`, as `sha256:<hex>`; the order of keys does not count, and
 * `1.0` is `1`.
 */
export const definitionDigest = (tool: ToolDescription): string =>
  `sha256:${hash("sha256", canonicalJson(withNumbers(tool), "_meta"), "hex")}`;

/** What makes a definition unfit to be shown to a model, whoever approved it; undefined for a sound one. */
export function flawOf(tool: ToolDescription, maxChars: number): string | undefined {
  return flawIn(tool, "", maxChars, 0);
}

function flawIn(value: unknown, path: string, maxChars: number, depth: number): string | undefined {
  if (typeof value === "string") {
    if (value.length > maxChars) return `${path} has ${value.length} characters, more than ${maxChars}`;
    return hidden.test(value.replace(harmless, "")) ? `${path} holds control or invisible characters` : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (depth >= maxDepth) return `${path} is nested too deep`;
  for (const [key, item] of Object.entries(value)) {
    const flaw =
      flawIn(key, `a key of ${path || "the definition"}`, maxChars, depth) ??
      flawIn(item, path === "" ? key : `${path}.${key}`, maxChars, depth + 1);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}
