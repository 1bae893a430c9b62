/** All scopes of several lists, each once, in the order in which they come. Absent lists are empty. */
export const union = (...lists: readonly (Iterable<string> | undefined)[]): string[] => [
  ...new Set(lists.flatMap((list) => [...(list ?? [])])),
];
