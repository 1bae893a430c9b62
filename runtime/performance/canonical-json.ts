import { ExactNumber } from "../protocol/exact-number.ts";

/**
 * JSON with the keys of every object in order, so that equal values have equal texts (in the spirit of RFC 8785).
 * Numbers differ when
 * their digits do. `skip` leaves one key of the outermost object out.
 */
export function canonicalJson(value: unknown, skip?: string): string {
  if (typeof value !== "object" || value === null || value instanceof ExactNumber)
    return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) {
    // A list of numbers or texts has one order.
    if (value.every((one) => typeof one !== "object")) return JSON.stringify(value);
    let text = "[";
    for (let index = 0; index < value.length; index += 1) {
      text += index === 0 ? canonicalJson(value[index]) : `,${canonicalJson(value[index])}`;
    }
    return `${text}]`;
  }
  const keys = Object.keys(value);
  if (keys.length > 1) keys.sort();
  let text = "{";
  for (const key of keys) {
    const member = (value as Record<string, unknown>)[key];
    if (key === skip || member === undefined) continue;
    text += `${text === "{" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `${text}}`;
}
