import { ExactNumber } from "./exact-number.ts";
import { encodeHeaderValue } from "./header-values.ts";
import type { Params } from "./json-rpc.ts";

/** One argument that a tool wants repeated in a header (SEP-2243, `x-mcp-header`). */
export interface MirroredParam {
  /** Lower case: `mcp-param-region`. */
  readonly header: string;
  /** Where the argument is, from the top of `arguments`. */
  readonly path: readonly string[];
}

const annotation = "x-mcp-header";
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const mirrorable = new Set<unknown>(["string", "integer", "boolean"]);

/**
 * The mirrored arguments of a tool, by its input schema: primitive properties that are reached through `properties`
 * alone. Undefined when an annotation breaks the rules, which makes the whole tool invalid
 * (2026-07-28, basic/transports/streamable-http, "Custom headers").
 */
export function mirroredParams(schema: unknown): readonly MirroredParam[] | undefined {
  const found: MirroredParam[] = [];
  const names = new Set<string>();
  const visit = (node: unknown, path: readonly string[], reachable: boolean): boolean => {
    if (typeof node !== "object" || node === null) return true;
    for (const [key, child] of Object.entries(node)) {
      if (key === annotation) {
        const { type } = node as { type?: unknown };
        const valid = typeof child === "string" && token.test(child) && reachable && mirrorable.has(type);
        if (!valid || names.has(child.toLowerCase())) return false;
        names.add(child.toLowerCase());
        found.push({ header: `mcp-param-${child.toLowerCase()}`, path });
      } else if (key === "properties" && typeof child === "object" && child !== null) {
        for (const [name, property] of Object.entries(child)) {
          if (!visit(property, [...path, name], reachable)) return false;
        }
      } else if (!visit(child, path, false)) return false;
    }
    return true;
  };
  // The root is no property, so an annotation there is unreachable like one below `items` or `anyOf`.
  return visit(schema, [], true) ? found.filter(({ path }) => path.length > 0) : undefined;
}

/**
 * The value of a mirrored argument; undefined when it is absent or null, and the header is left out. A whole number that a
 * double does not keep is its digits.
 */
export function mirroredValue({ path }: MirroredParam, args: unknown): string | number | boolean | undefined {
  let value = args;
  for (const key of path) value = (value as Params | undefined | null)?.[key];
  if (value instanceof ExactNumber) return Number.isSafeInteger(value.valueOf()) ? value.valueOf() : value.toString();
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

/** The `Mcp-Param-*` headers of one call. */
export function paramHeaders(params: readonly MirroredParam[], args: unknown): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const param of params) {
    const value = mirroredValue(param, args);
    if (value !== undefined) headers[param.header] = encodeHeaderValue(value);
  }
  return headers;
}
