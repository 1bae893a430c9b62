/** A pattern of `matches()` whose cost has a bound. */
export interface BoundedPattern {
  readonly pattern: RegExp;
  /** Longest text that it is tried on; a longer one cannot be judged. */
  readonly maxChars: number;
  /** Is its cost more than in proportion to the text? */
  readonly superlinear: boolean;
}

/** Steps that one match may take in the worst case: about 20 ms. */
const maxSteps = 20_000_000;
/** The same for a match inside a comprehension, which is made for each element. */
export const maxStepsEach = 65_536;
/** Ways through optional parts and alternatives, which multiply. */
const maxChoices = 1024;
/** Below this a pattern would judge next to nothing. */
const leastChars = 64;

interface Group {
  /** It holds something of variable length, or alternatives. */
  varies: boolean;
  alternatives: number;
}

/**
 * Checks a regular expression for the backtracking that a caller's text could drive: in JavaScript `(a+)+` takes time exponential in the
 * text. What passes costs at most choices × length ^ degree, where each unbounded quantifier, and a start that is not anchored, adds a degree.
 * Returns the fault as a text. CEL asks for RE2, which has neither lookaround nor back references.
 */
export function boundedPattern(source: string, steps = maxSteps): BoundedPattern | string {
  let pattern: RegExp;
  try {
    pattern = new RegExp(source);
  } catch {
    return "it is not a regular expression";
  }
  const groups: Group[] = [{ varies: false, alternatives: 1 }];
  let closed: Group | undefined;
  let choices = 1;
  let unbounded = 0;
  for (let at = 0; at < source.length; at += 1) {
    const inner = groups.at(-1) as Group;
    const char = source[at] as string;
    const quantifier = quantifierAt(source, at);
    if (quantifier !== undefined) {
      const { min, max, length } = quantifier;
      if (max > 1 && closed?.varies === true)
        return "it repeats a group that itself repeats, is optional or has alternatives";
      if (max !== min) {
        if (max > 1) unbounded += 1;
        else choices *= 2;
        for (const group of groups) group.varies = true;
      }
      closed = undefined;
      at += length - 1;
      continue;
    }
    closed = undefined;
    if (char === "\\") {
      if (/[1-9k]/.test(source[at + 1] ?? "")) return "it has a back reference";
      at += 1;
    } else if (char === "[") at = endOfClass(source, at);
    else if (char === "(") {
      if (source[at + 1] === "?") {
        if (source[at + 2] !== ":" && !/^<[^=!]/.test(source.slice(at + 2, at + 4))) return "it looks ahead or behind";
      }
      groups.push({ varies: false, alternatives: 1 });
      at = source.startsWith("(?:", at) ? at + 2 : at;
      if (source.startsWith("(?<", at)) at = source.indexOf(">", at);
    } else if (char === ")") {
      closed = groups.pop() as Group;
      choices *= closed.alternatives;
    } else if (char === "|") {
      inner.alternatives += 1;
      for (const group of groups) group.varies = true;
    }
  }
  const whole = groups[0] as Group;
  choices *= whole.alternatives;
  if (choices > maxChoices)
    return `it has ${choices} ways through its alternatives and optional parts (at most ${maxChoices})`;
  const degree = unbounded + (source.startsWith("^") && whole.alternatives === 1 ? 0 : 1);
  const maxChars = Math.floor((steps / choices) ** (1 / Math.max(degree, 1)));
  if (maxChars < leastChars) return `it has ${unbounded} quantifiers, which is too costly`;
  return { pattern, maxChars, superlinear: degree > 1 };
}

interface Quantifier {
  readonly min: number;
  readonly max: number;
  /** Characters of it, its `?` for the shortest match included. */
  readonly length: number;
}

function quantifierAt(source: string, at: number): Quantifier | undefined {
  const char = source[at];
  const lazy = (length: number) => (source[at + length] === "?" ? length + 1 : length);
  if (char === "*") return { min: 0, max: Number.POSITIVE_INFINITY, length: lazy(1) };
  if (char === "+") return { min: 1, max: Number.POSITIVE_INFINITY, length: lazy(1) };
  if (char === "?") return { min: 0, max: 1, length: lazy(1) };
  if (char !== "{") return undefined;
  const counted = /^\{(\d+)(,(\d*))?\}/.exec(source.slice(at, at + 24));
  if (counted === null) return undefined;
  const min = Number(counted[1]);
  const max = counted[2] === undefined ? min : counted[3] === "" ? Number.POSITIVE_INFINITY : Number(counted[3]);
  return { min, max, length: lazy(counted[0].length) };
}

function endOfClass(source: string, start: number): number {
  let at = start + 1;
  while (at < source.length && source[at] !== "]") at += source[at] === "\\" ? 2 : 1;
  return at;
}
