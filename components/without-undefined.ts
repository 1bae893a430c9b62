/** Arguments as they travel: a key without a value is one that was not given. Goes down into plain objects. */
export function withoutUndefined(value: object): Record<string, unknown> {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, isPlain(item) ? withoutUndefined(item) : item]));
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
