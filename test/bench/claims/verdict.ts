import type { Aim } from "./aims.ts";

/** What became of a claim. */
export interface Verdict {
  readonly benchmark: string;
  /** The key of its aim. */
  readonly aim: string;
  readonly claim: string;
  /** Undefined when the benchmark failed, or did not come to it. */
  readonly measured: number | undefined;
  readonly bound: Aim["bound"];
  readonly limit: number;
  readonly unit: string;
  readonly met: boolean;
}

/** The figures that aims of a benchmark are about, by their keys; undefined where there is none. */
export type Measured<Keys extends string> = { readonly [Key in Keys]: number | undefined };

/** One verdict for each aim; what was not measured is not met. */
export function verdicts<Keys extends string>(
  benchmark: string,
  aims: Readonly<Record<Keys, Aim>>,
  measured: Partial<Measured<Keys>>,
): readonly Verdict[] {
  return (Object.keys(aims) as Keys[]).map((key) => {
    const { claim, bound, limit, unit } = aims[key];
    const figure = known(measured[key]);
    return { benchmark, aim: key, claim, measured: figure, bound, limit, unit, met: meets(figure, bound, limit) };
  });
}

function meets(figure: number | undefined, bound: Aim["bound"], limit: number): boolean {
  if (figure === undefined) return false;
  if (bound === "≥") return figure >= limit;
  return bound === "<" ? figure < limit : figure <= limit;
}

/** One figure over another; undefined when either is missing or nothing was measured below the line. */
export function ratio(over: number | undefined, under: number | undefined): number | undefined {
  return known(over) === undefined || !under ? undefined : known((over as number) / under);
}

/** A file of JSON has null for a figure that is no number. */
function known(figure: number | undefined): number | undefined {
  return Number.isFinite(figure) ? figure : undefined;
}
