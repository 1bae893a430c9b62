import type { ASTNode } from "@marcbachmann/cel-js";

/** Where something stands in an expression, and what is wrong with it. */
export interface CostProblem {
  /** From 1. */
  readonly column: number;
  readonly why: string;
}

/** A variable of the context, and the way to a part of it: `args.items`. */
type Way = readonly string[];

/** What the cost of an expression depends on. */
export interface ConditionCost {
  /** Nodes inside the bodies of its comprehensions; 0 for an expression without one, which is linear. */
  readonly bodyNodes: number;
  readonly comprehensions: number;
  /** What it reads. */
  readonly reads: readonly Way[];
  /** What the body of a comprehension reads besides its own element: read again for each one. */
  readonly readEach: readonly Way[];
  /** Characters of a text that count as one value. */
  readonly charsPerUnit: number;
}

/** Called for each `matches`; `each`: inside a comprehension. Returns what is wrong, or how many nodes it counts for. */
export type OnMatch = (call: ASTNode & { op: "rcall" }, each: boolean) => string | number;

const comprehensions = new Set(["all", "exists", "exists_one", "map", "filter"]);
/** `+` in the value of a `cel.bind` or in a comprehension: each can double what the next one takes. */
const maxGrowing = 4;
/** Cost past which an expression is not evaluated, in steps of about 50 ns. */
export const maxCost = 4_000_000;
/** What an element costs besides the nodes of the body. */
const nodesOfElement = 10;
/** Characters that count as one value, where texts stay whole. */
const charsPerUnit = 16;
/** What makes many values of one text: there each character counts. */
const splitters = new Set(["split", "json", "bytes"]);

class Walk {
  readonly reads = new Map<string, Way>();
  readonly readEach = new Map<string, Way>();
  readonly #onMatch: OnMatch;
  bodyNodes = 0;
  comprehensions = 0;
  charsPerUnit = charsPerUnit;
  #growing = 0;

  constructor(onMatch: OnMatch) {
    this.#onMatch = onMatch;
  }

  /** `own`: variables of the comprehension around it; undefined outside of one. `growing`: what is added here is used again. */
  visit(node: ASTNode, own: ReadonlySet<string> | undefined, growing: boolean): CostProblem | undefined {
    if (own !== undefined) this.bodyNodes += 1;
    const way = wayOf(node);
    if (way !== undefined) {
      this.#read(way, own);
      return undefined;
    }
    if (node.op === "+" && growing) {
      this.#growing += 1;
      if (this.#growing > maxGrowing)
        return at(node, `more than ${maxGrowing} additions in cel.bind and comprehensions`);
    }
    if ((node.op === "call" || node.op === "rcall") && splitters.has(node.args[0])) this.charsPerUnit = 1;
    if (node.op === "rcall") return this.#call(node, own, growing);
    for (const child of childrenOf(node.args)) {
      const problem = this.visit(child, own, growing);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #call(
    node: ASTNode & { op: "rcall" },
    own: ReadonlySet<string> | undefined,
    growing: boolean,
  ): CostProblem | undefined {
    const [name, receiver, args] = node.args;
    const [first] = args;
    if (comprehensions.has(name) && args.length > 1 && first?.op === "id") {
      if (own !== undefined) return at(node, `${name}() inside another comprehension, whose costs multiply`);
      this.comprehensions += 1;
      const body = new Set([first.args]);
      return this.visit(receiver, own, growing) ?? this.#all(args.slice(1), body, true);
    }
    if (name === "bind" && args.length === 3 && first?.op === "id") {
      const inner = own === undefined ? undefined : new Set([...own, first.args]);
      return this.visit(args[1] as ASTNode, own, true) ?? this.visit(args[2] as ASTNode, inner, growing);
    }
    if (name === "matches") {
      const outcome = this.#onMatch(node, own !== undefined);
      if (typeof outcome === "string") return at(node, outcome);
      if (own !== undefined) this.bodyNodes += outcome;
    }
    return this.#all([receiver, ...args], own, growing);
  }

  #all(nodes: readonly ASTNode[], own: ReadonlySet<string> | undefined, growing: boolean): CostProblem | undefined {
    for (const node of nodes) {
      const problem = this.visit(node, own, growing);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #read(way: Way, own: ReadonlySet<string> | undefined): void {
    if (own?.has(way[0] as string) === true) return;
    this.reads.set(way.join("\n"), way);
    if (own !== undefined) this.readEach.set(way.join("\n"), way);
  }
}

/** Costs of an expression that has been parsed, or why nobody could bound them. */
export function costOf(ast: ASTNode, onMatch: OnMatch): ConditionCost | CostProblem {
  const walk = new Walk(onMatch);
  const problem = walk.visit(ast, undefined, false);
  if (problem !== undefined) return problem;
  return {
    bodyNodes: walk.bodyNodes,
    comprehensions: walk.comprehensions,
    reads: [...walk.reads.values()],
    readEach: [...walk.readEach.values()],
    charsPerUnit: walk.charsPerUnit,
  };
}

/** Throws RangeError when an expression with comprehensions would take too long with this context. */
export function checkCost(cost: ConditionCost, context: object): void {
  if (cost.comprehensions === 0) return;
  const size = weightOf(cost.reads, context, cost.charsPerUnit);
  const again = weightOf(cost.readEach, context, cost.charsPerUnit);
  if (size * (cost.bodyNodes + cost.comprehensions * (nodesOfElement + again)) <= maxCost) return;
  throw new RangeError("the arguments are too large for a condition with a comprehension");
}

/** How much there is at these places: one for each value, and for so many characters. A variable that is not of the context stands for all of it. */
function weightOf(ways: readonly Way[], context: object, chars: number): number {
  let weight = 0;
  const waiting = ways.map((way) => (Object.hasOwn(context, way[0] as string) ? valueAt(way, context) : context));
  while (waiting.length > 0 && weight <= maxCost) {
    const value = waiting.pop();
    weight += 1;
    if (typeof value === "string") weight += Math.floor(value.length / chars);
    else if (Array.isArray(value)) {
      if (value.length > maxCost - weight) return maxCost;
      for (const item of value) waiting.push(item);
    } else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        weight += Math.floor(key.length / chars);
        waiting.push(item);
      }
    }
  }
  return weight;
}

function valueAt(way: Way, context: object): unknown {
  let value: unknown = context;
  for (const key of way) {
    if (typeof value !== "object" || value === null) return value;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** `a.b["c"]` as a way; undefined for anything else. */
function wayOf(node: ASTNode): Way | undefined {
  if (node.op === "id") return [node.args];
  if (node.op === ".") {
    const before = wayOf(node.args[0]);
    return before && [...before, node.args[1]];
  }
  if (node.op !== "[]") return undefined;
  const [of, key] = node.args;
  const before = wayOf(of);
  return before !== undefined && key.op === "value" && typeof key.args === "string" ? [...before, key.args] : undefined;
}

function* childrenOf(args: unknown): Generator<ASTNode> {
  if (Array.isArray(args)) for (const item of args) yield* childrenOf(item);
  else if (typeof args === "object" && args !== null && "op" in args) yield args as ASTNode;
}

const at = ({ start }: ASTNode, why: string): CostProblem => ({ column: start + 1, why });
