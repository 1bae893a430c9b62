import type { Metric, Registry } from "prom-client";

/** Labels of one series. */
export type Labels = Readonly<Record<string, string>>;

/**
 * One series of a histogram of the hot path. prom-client finds a series by its labels with each value, by strings that are put
 * together and hashed; this one is kept where its values arise.
 */
export class HistogramSeries {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;
  #count = 0;

  /** Upper bounds of the buckets, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count += 1;
    const bounds = this.#bounds;
    for (let at = 0; at < bounds.length; at += 1) {
      if (value <= (bounds[at] as number)) {
        (this.#counts[at] as number) += 1;
        return;
      }
    }
  }

  /** What a scrape says of it: buckets that contain the ones before them, sum, count. */
  values(name: string, labels: Labels): readonly HistogramValue[] {
    let below = 0;
    const bucket = (le: number | string, value: number) => ({
      labels: { le, ...labels },
      value,
      metricName: `${name}_bucket`,
    });
    const buckets = this.#bounds.map((bound, at) => {
      below += this.#counts[at] as number;
      return bucket(bound, below);
    });
    return [
      ...buckets,
      bucket("+Inf", this.#count),
      { labels, value: this.#sum, metricName: `${name}_sum` },
      { labels, value: this.#count, metricName: `${name}_count` },
    ];
  }
}

/** As prom-client's own histograms give it. */
export interface HistogramValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName: string;
}

/** Puts a histogram of such series on a registry's page; `read` is called with each scrape. */
export function registerHistogram(
  registry: Registry,
  { name, help }: { readonly name: string; readonly help: string },
  read: () => Iterable<readonly [Labels, HistogramSeries]>,
): void {
  const get = async () => ({
    ...{ name, help, type: "histogram", aggregator: "sum" },
    values: [...read()].flatMap(([labels, series]) => series.values(name, labels)),
  });
  // All that a registry asks of its metrics.
  registry.registerMetric({ name, get } as unknown as Metric);
}
