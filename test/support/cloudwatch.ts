import type { AlarmForm } from "../../components/monitoring/alarm-forms.ts";

/** Figures that were written at one moment, in minutes since the start; of one server, or of the gateway itself. */
export interface Sample {
  readonly minute: number;
  readonly server?: string;
  readonly figures: Readonly<Record<string, number>>;
}

const statistics = {
  Sum: (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0),
  Maximum: (values: readonly number[]) => Math.max(...values),
  Minimum: (values: readonly number[]) => Math.min(...values),
  SampleCount: (values: readonly number[]) => values.length,
};
const comparisons = {
  GreaterThanThreshold: (value: number, bound: number) => value > bound,
  GreaterThanOrEqualToThreshold: (value: number, bound: number) => value >= bound,
  LessThanThreshold: (value: number, bound: number) => value < bound,
  LessThanOrEqualToThreshold: (value: number, bound: number) => value <= bound,
};

/**
 * Is an alarm of this form in ALARM after so many minutes? As Amazon CloudWatch's user guide says: each of the last periods is
 * beyond the threshold, one figure a period, and a period without data counts as the alarm says. It is no CloudWatch: it knows
 * the statistics and the few operations of metric math that alarms of this package use.
 */
export function fires(form: AlarmForm, samples: readonly Sample[], minutes: number, server?: string): boolean {
  const length = form.periodSeconds / 60;
  return Array.from({ length: form.periods }, (_, index) => minutes - index * length).every((end) => {
    const inside = samples.filter(({ minute }) => minute > end - length && minute <= end);
    const value = figure(form, server === undefined ? inside : inside.filter((one) => one.server === server));
    if (value === undefined) return form.silence === "breaching";
    return comparisons[form.comparison](value, form.threshold);
  });
}

function figure({ metrics, expression, periodSeconds }: AlarmForm, samples: readonly Sample[]): number | undefined {
  const values: Record<string, number> = {};
  for (const [id, [metric, statistic]] of Object.entries(metrics)) {
    const points = samples.flatMap(({ figures }) => figures[metric] ?? []);
    if (points.length === 0) return undefined;
    values[id] = statistics[statistic](points);
  }
  if (expression === undefined) return Object.values(values)[0];
  const [, left, operation, right] = /^(\w+)(?: (\/|==) (\S+))?(?: == \S+)?$/.exec(expression) ?? [];
  const read = (text: string) => (text.startsWith("PERIOD(") ? periodSeconds : (values[text] ?? Number(text)));
  if (left === undefined || right === undefined) throw new Error(`what is ${expression}?`);
  if (operation === "==") return Number(read(left) === read(right));
  // CloudWatch has no data point where something is divided by zero.
  return read(right) === 0 ? undefined : read(left) / read(right);
}
