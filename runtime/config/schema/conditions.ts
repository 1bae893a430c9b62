import { type ASTNode, Environment } from "@marcbachmann/cel-js";
import { type BoundedPattern, boundedPattern, maxStepsEach } from "./bounded-pattern.ts";
import { type CostProblem, checkCost, costOf } from "./condition-cost.ts";
import { expressionsIn } from "./expressions.ts";
import type { ConfigIssue } from "./issue.ts";

// Imported by itself, and only where there is an expression: the engine costs 7 MB of memory and 30 ms.

/** A compiled `when`. Throws when it cannot be evaluated. */
export type Condition = (context: object) => unknown;

/** Bounds on an expression. What its evaluation costs is bounded by `checkCost`. */
const limits = { maxAstNodes: 500, maxDepth: 40 };
const longestShown = 60;
/** Stands for `matches` where it is called: with a pattern of bounded cost, on a text of bounded length. */
const boundedMatches = "matches_within_bounds";
/** What a match counts for in the body of a comprehension when its cost grows faster than the text. */
const nodesOfMatch = 1000;

/** Compiles expressions in CEL (Common Expression Language). */
export class ConditionCompiler {
  readonly #environment = new Environment({ limits })
    .registerVariable("caller", "map")
    .registerVariable("server", "string")
    .registerVariable("method", "string")
    .registerVariable("tool", "string")
    .registerVariable("name", "string")
    .registerVariable("args", "map")
    .registerFunction(`string.${boundedMatches}(string): bool`, (text: string, source: string) => {
      const { pattern, maxChars } = this.#patterns.get(source) as BoundedPattern;
      if (text.length > maxChars) throw new RangeError(`the text is longer than ${maxChars} characters`);
      return pattern.test(text);
    });
  /** The patterns of all expressions, by their source. */
  readonly #patterns = new Map<string, BoundedPattern>();

  /** The condition of a rule, or what is wrong with it; the issue's path begins at the gateway's section. */
  compile(text: string, rule: number): Condition | ConfigIssue {
    try {
      const compiled = this.#environment.parse(text);
      const cost = costOf(compiled.ast, (call, each) => this.#bound(call, each));
      if ("why" in cost) return costIssue(text, rule, cost);
      const { valid, type, error } = compiled.check();
      if (!valid) return issue(text, rule, error);
      if (type !== "bool" && type !== "dyn") return issue(text, rule, `it is of type ${type}, not bool`);
      return (context) => {
        checkCost(cost, context);
        return compiled(context as Record<string, unknown>);
      };
    } catch (error) {
      return issue(text, rule, error);
    }
  }

  /** Puts a match of bounded cost in place of the engine's own, which runs any pattern of JavaScript on a text of any length. */
  #bound(call: ASTNode & { op: "rcall" }, each: boolean): string | number {
    const [pattern] = call.args[2];
    if (pattern?.op !== "value" || typeof pattern.args !== "string") {
      return "matches() with a pattern that is not a text in quotes";
    }
    const bounded = boundedPattern(pattern.args, each ? maxStepsEach : undefined);
    if (typeof bounded === "string") return `matches() with a pattern of unbounded cost: ${bounded}`;
    const known = this.#patterns.get(pattern.args);
    if (known === undefined || bounded.maxChars < known.maxChars) this.#patterns.set(pattern.args, bounded);
    call.args[0] = boundedMatches;
    return bounded.superlinear ? nodesOfMatch : 0;
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

const shownOf = (text: string): string =>
  JSON.stringify(text.length > longestShown ? `${text.slice(0, longestShown - 3)}...` : text);

function costIssue(text: string, rule: number, { column, why }: CostProblem): ConfigIssue {
  return {
    path: ["authorization", "rules", rule, "when"],
    message: `is ${shownOf(text)}, whose cost a caller could raise without bound: ${why} (column ${column})`,
    fix: why.startsWith("matches()")
      ? "write it with startsWith, endsWith or contains, or with one quantifier after ^"
      : "write two rules, or use `x in list` where a list is searched",
  };
}

function issue(text: string, rule: number, error: unknown): ConfigIssue {
  const [why] = (error instanceof Error ? error.message : String(error)).split("\n");
  return {
    path: ["authorization", "rules", rule, "when"],
    message: `is ${shownOf(text)}, which is no condition: ${why}`,
    fix: 'write it in CEL over caller, server, method, tool, name and args, like `"admin" in caller.roles`',
  };
}
