import { type Aim, aims } from "./aims.ts";
import { latencyOf, priceOf, relayOf, stagesOf } from "./judge-costs.ts";
import { fairnessOf, overloadOf, sessionsOf, soakOf } from "./judge-endurance.ts";
import { failoverOf } from "./judge-failover.ts";
import { type Verdict, verdicts } from "./verdict.ts";

/** How long benchmarks take, and who refers. */
export interface Extent {
  /** Seconds each: shows that everything runs; its figures prove nothing. */
  readonly short: boolean;
  readonly soakSeconds: number;
  /** Load generator and echo server in Rust where a benchmark knows them. */
  readonly referee: boolean;
}

/** One benchmark: what is run, and what its figures say. */
export interface Benchmark {
  readonly name: string;
  /** In test/bench. */
  readonly script: string;
  readonly args: readonly string[];
  /** Judges what `--json` holds; undefined is a benchmark that failed before it wrote anything. */
  judge(figures: unknown): readonly Verdict[];
}

/** All benchmarks that a claim is about, in the order in which they run. */
export function benchmarks({ short, soakSeconds, referee }: Extent): readonly Benchmark[] {
  const refereed = referee ? ["--referee"] : [];
  const rounds = ["--rounds", short ? "1" : "3"];
  const seconds = (long: number) => ["--seconds", short ? "1" : String(long)];
  const relay = ["--base", "pipe", "--only", "pipe,full", "--sessions", "4", ...rounds, ...seconds(4), ...refereed];
  return [
    benchmark("price", "main.ts", aims.price, priceOf, [
      ...["--only", "direct,parse,full,workers", "--sessions", "1,32", ...rounds, ...seconds(4), ...refereed],
      // Each of two workers gets half of the calls by which code becomes hot.
      ...(short ? [] : ["--warm", "3"]),
    ]),
    benchmark("latency", "latency.ts", aims.latency, latencyOf, [...rounds, ...refereed]),
    benchmark("stages", "stages.ts", aims.stages, stagesOf, [...rounds, ...seconds(3), ...refereed]),
    benchmark("bytes", "main.ts", aims.bytes, relayOf, ["--call", "bytes", ...relay]),
    benchmark("stream", "main.ts", aims.stream, relayOf, ["--call", "stream", ...relay]),
    benchmark("sessions", "sessions.ts", aims.sessions, sessionsOf, [
      // Within 32 s a calm gateway has given back what it can.
      ...(short ? ["--open", "50", "--idle", "100", "--rest", "1"] : ["--rest", "32"]),
      ...refereed,
    ]),
    benchmark("failover", "failover.ts", aims.failover, failoverOf, short ? ["--rounds", "1"] : []),
    benchmark("overload", "overload.ts", aims.overload, overloadOf, seconds(60)),
    benchmark("fairness", "fairness.ts", aims.fairness, fairnessOf, seconds(5)),
    benchmark("soak", "soak.ts", aims.soak, soakOf, ["--seconds", String(soakSeconds)]),
  ];
}

function benchmark<Keys extends string, Figures>(
  name: string,
  script: string,
  of: Readonly<Record<Keys, Aim>>,
  measured: (figures: Figures) => { readonly [Key in Keys]: number | undefined },
  args: readonly string[],
): Benchmark {
  const judge = (figures: unknown) => verdicts(name, of, figures === undefined ? {} : measured(figures as Figures));
  return { name, script, args, judge };
}
