import type { Condition } from "../config/schema/conditions.ts";
import { issueText } from "../config/schema/index.ts";
import { FleetError } from "../errors.ts";

/** Compiles the expressions of rules, in the order given; the engine is loaded only when there is one. Rejects with CONFIG_INVALID. */
export async function compileConditions(
  expressions: readonly (string | undefined)[],
): Promise<(Condition | undefined)[]> {
  if (expressions.every((expression) => expression === undefined)) return expressions.map(() => undefined);
  const { ConditionCompiler } = await import("../config/schema/conditions.ts");
  const compiler = new ConditionCompiler();
  return expressions.map((expression, index) => {
    if (expression === undefined) return undefined;
    const outcome = compiler.compile(expression, index);
    if (typeof outcome === "function") return outcome;
    throw new FleetError("CONFIG_INVALID", issueText({ ...outcome, path: ["gateway", ...outcome.path] }));
  });
}
