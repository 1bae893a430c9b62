import { Environment } from "@marcbachmann/cel-js";
import { expressionsIn } from "./expressions.ts";
import type { ConfigIssue } from "./issue.ts";

// Imported by itself, and only where there is an expression: the engine costs 7 MB of memory and 30 ms.

/** A compiled `when`. Throws when it cannot be evaluated. */
export type Condition = (context: object) => unknown;

/** Bounds on an expression, so that a policy cannot slow the gateway down. */
const limits = { maxAstNodes: 500, maxDepth: 40 };
const longestShown = 60;

/** Compiles expressions in CEL (Common Expression Language). */
export class ConditionCompiler {
  readonly #environment = new Environment({ limits })
    .registerVariable("caller", "map")
    .registerVariable("server", "string")
    .registerVariable("method", "string")
    .registerVariable("tool", "string")
    .registerVariable("name", "string")
    .registerVariable("args", "map");

  /** The condition of a rule, or what is wrong with it; the issue's path begins at the gateway's section. */
  compile(text: string, rule: number): Condition | ConfigIssue {
    try {
      const compiled = this.#environment.parse(text);
      const { valid, type, error } = compiled.check();
      if (!valid) return issue(text, rule, error);
      if (type !== "bool" && type !== "dyn") return issue(text, rule, `it is of type ${type}, not bool`);
      return (context) => compiled(context as Record<string, unknown>);
    } catch (error) {
      return issue(text, rule, error);
    }
  }
}

/** Every expression in the gateway's section that is none; paths begin there. */
export function conditionIssues(gateway: unknown): ConfigIssue[] {
  const expressions = expressionsIn(gateway);
  if (expressions.length === 0) return [];
  const compiler = new ConditionCompiler();
  return expressions
    .map(({ text, rule }) => compiler.compile(text, rule))
    .filter((outcome): outcome is ConfigIssue => typeof outcome !== "function");
}

function issue(text: string, rule: number, error: unknown): ConfigIssue {
  const [why] = (error instanceof Error ? error.message : String(error)).split("\n");
  const shown = text.length > longestShown ? `${text.slice(0, longestShown - 3)}...` : text;
  return {
    path: ["authorization", "rules", rule, "when"],
    message: `is ${JSON.stringify(shown)}, which is no condition: ${why}`,
    fix: 'write it in CEL over caller, server, method, tool, name and args, like `"admin" in caller.roles`',
  };
}
