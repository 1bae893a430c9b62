/** A `when` of `gateway.authorization`, and of which rule it is. */
export interface Expression {
  readonly rule: number;
  readonly text: string;
}

/** The expressions in the gateway's section, whatever else is wrong there; not those that are references, whose text is elsewhere. */
export function expressionsIn(gateway: unknown): Expression[] {
  const { rules } = (gateway as { authorization?: { rules?: unknown } } | undefined)?.authorization ?? {};
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule: { when?: unknown } | undefined, index) => {
    const text = rule?.when;
    return typeof text === "string" && text !== "" && !reference.test(text) ? [{ rule: index, text }] : [];
  });
}

const reference = /^file:|\$\{/;
