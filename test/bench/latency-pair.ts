import { type Measurement, median } from "../../runtime/bench/index.ts";

/** Milliseconds, medians over the rounds. */
export interface Times {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What a proxy adds under one load. */
export interface LatencyRow {
  readonly load: string;
  readonly proxy: string;
  readonly direct: Times;
  readonly proxied: Times;
  readonly addedMs: { readonly p50: number; readonly p99: number };
  readonly p99OfDirect: number;
}

/** Measurements of a proxy and of the server alone, in pairs at the same load. */
export class Pair {
  readonly #proxy: string;
  readonly #direct: Measurement[] = [];
  readonly #proxied: Measurement[] = [];

  constructor(proxy: string) {
    this.#proxy = proxy;
  }

  add(measured: Measurement): void {
    (measured.target === this.#proxy ? this.#proxied : this.#direct).push(measured);
  }

  get errors(): readonly (readonly [string, number])[] {
    return [...this.#direct, ...this.#proxied].flatMap(({ errors }) => Object.entries(errors));
  }

  get callsPerSecond(): number {
    return middle(this.#proxied, "callsPerSecond");
  }

  row(load: string): LatencyRow {
    const times = (of: readonly Measurement[]) => ({ p50Ms: middle(of, "p50Ms"), p99Ms: middle(of, "p99Ms") });
    const direct = times(this.#direct);
    const proxied = times(this.#proxied);
    const addedMs = { p50: rounded(proxied.p50Ms - direct.p50Ms), p99: rounded(proxied.p99Ms - direct.p99Ms) };
    return { load, proxy: this.#proxy, direct, proxied, addedMs, p99OfDirect: rounded(proxied.p99Ms / direct.p99Ms) };
  }
}

function middle(of: readonly Measurement[], figure: "p50Ms" | "p99Ms" | "callsPerSecond"): number {
  return rounded(median(of.map((one) => one[figure])));
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
