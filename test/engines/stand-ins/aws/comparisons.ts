import { isDeepStrictEqual } from "node:util";
import type { Answer } from "./api.ts";

/** Does the provider take two values of a property for the same? */
export type Comparison = (before: Answer, after: Answer) => boolean;

/** Sets: the order says nothing. */
export const anyOrder: Comparison = (before = [], after = []) => isDeepStrictEqual(sorted(before), sorted(after));

/** Texts whose case says nothing. */
export const anyCase: Comparison = (before, after) => String(before).toUpperCase() === String(after).toUpperCase();

/** JSON: neither blanks nor the order of keys say anything. */
export const sameJson: Comparison = (before, after) => isDeepStrictEqual(parsed(before), parsed(after));

/** Policies of IAM: the same, and a list of one is its only item. */
export const samePolicy: Comparison = (before, after) =>
  isDeepStrictEqual(withoutLists(parsed(before)), withoutLists(parsed(after)));

/** Definitions of containers: variables have no order. */
export const sameDefinitions: Comparison = (before, after) =>
  isDeepStrictEqual(ordered(parsed(before)), ordered(parsed(after)));

/** One block of which some fields are sets. */
export const setsIn =
  (...fields: readonly string[]): Comparison =>
  (before = {}, after = {}) =>
    [...new Set([...Object.keys(before), ...Object.keys(after)])].every((key) =>
      (fields.includes(key) ? anyOrder : isDeepStrictEqual)(before[key], after[key]),
    );

const sorted = (list: Answer[]): string[] => list.map((item) => JSON.stringify(item)).sort();

function parsed(text: Answer): Answer {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function withoutLists(value: Answer): Answer {
  if (Array.isArray(value)) return value.length === 1 ? withoutLists(value[0]) : sorted(value.map(withoutLists));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutLists(item)]));
}

const ordered = (containers: Answer): Answer =>
  Array.isArray(containers)
    ? containers.map(({ environment = [], ...rest }) => ({ ...rest, environment: sorted(environment) }))
    : containers;
