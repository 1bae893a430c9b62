import { closest, distance } from "fastest-levenshtein";
import { FleetError } from "../errors.ts";

/** The fields of an options object: `"any"` for a value, a list or a map; the fields of what is itself an options object. */
export type Fields<T> = { readonly [Name in keyof T]-?: "any" | Fields<NonNullable<T[Name]>> };

/** A key that differs in more than half of its letters is no slip of the fingers. */
const slip = (key: string): number => Math.floor(key.length / 2);

/** What to write instead of an unknown key: the key that was meant, else all that are known. */
export function keyHint(key: string, known: readonly string[]): string {
  const near = closest(key, known);
  return distance(key, near) <= slip(key) ? `did you mean "${near}"?` : `known keys are ${known.join(", ")}`;
}

/**
 * Refuses options of a program that have a field nobody reads: a typing mistake would change nothing, without a word. `subject`
 * is what the error begins with, such as `server "docs"`. Throws CONFIG_INVALID with the field and the one that was meant.
 */
export function refuseUnknown<T extends object>(subject: string, options: T, fields: Fields<T>): void {
  check(subject, options, fields as Known, "");
}

interface Known {
  readonly [name: string]: "any" | Known;
}

function check(subject: string, options: object, known: Known, prefix: string): void {
  for (const [key, value] of Object.entries(options)) {
    const below = Object.hasOwn(known, key) ? known[key] : undefined;
    if (below === undefined) {
      const text = `${prefix}${key} is not a known key; ${keyHint(key, Object.keys(known))}`;
      throw new FleetError("CONFIG_INVALID", `${subject}: ${text}`);
    }
    if (below === "any" || value === undefined) continue;
    if (typeof value !== "object" || value === null) {
      const text = `${prefix}${key} is ${JSON.stringify(value)}; it must be an object`;
      throw new FleetError("CONFIG_INVALID", `${subject}: ${text}`);
    }
    check(subject, value, below, `${prefix}${key}.`);
  }
}
