import { FleetError, messageOf } from "../errors.ts";
import type { Condition } from "./rule.ts";

/** Bounds on an expression, so that a policy cannot slow the gateway down. */
const limits = { maxAstNodes: 500, maxDepth: 40 };

/**
 * Compiles expressions in CEL (Common Expression Language), in the order given; the engine is loaded only when there is
 * one. Rejects with CONFIG_INVALID.
 */
export async function compileConditions(
  expressions: readonly (string | undefined)[],
): Promise<(Condition | undefined)[]> {
  if (expressions.every((expression) => expression === undefined)) return expressions.map(() => undefined);
  const { Environment } = await import("@marcbachmann/cel-js");
  const environment = new Environment({ limits })
    .registerVariable("caller", "map")
    .registerVariable("server", "string")
    .registerVariable("method", "string")
    .registerVariable("tool", "string")
    .registerVariable("name", "string")
    .registerVariable("args", "map");
  return expressions.map((expression, index) => {
    if (expression === undefined) return undefined;
    const problem = (text: string) => {
      const fix = 'write it in CEL over caller, server, method, tool, name and args, like `"admin" in caller.roles`';
      return new FleetError(
        "CONFIG_INVALID",
        `gateway.authorization.rules[${index}].when: ${text.split("\n")[0]}; ${fix}`,
      );
    };
    try {
      const compiled = environment.parse(expression);
      const { valid, type, error } = compiled.check();
      if (!valid) throw problem(messageOf(error));
      if (type !== "bool" && type !== "dyn") throw problem(`is of type ${type}, not bool`);
      return (context) => compiled(context as Record<string, unknown>);
    } catch (error) {
      throw error instanceof FleetError ? error : problem(messageOf(error));
    }
  });
}
