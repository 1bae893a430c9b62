import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { aims } from "./aims.ts";
import { benchmarks } from "./benchmarks.ts";

const extent = { short: false, soakSeconds: 600, referee: false };

test("every benchmark runs a script that is there, and together they judge every aim", () => {
  const all = benchmarks(extent);
  expect(all.map(({ name, script }) => [name, existsSync(join(import.meta.dirname, "..", script))])).toEqual(
    ["price", "latency", "stages", "bytes", "stream", "sessions", "failover", "overload", "fairness", "soak"].map(
      (name) => [name, true],
    ),
  );
  // A benchmark that failed before it wrote anything meets nothing.
  const failed = all.flatMap(({ judge }) => judge(undefined));
  expect(failed.map(({ benchmark, aim, measured, met }) => [`${benchmark}.${aim}`, measured, met])).toEqual(
    all.flatMap(({ name }) =>
      Object.keys(aims[name as keyof typeof aims]).map((aim) => [`${name}.${aim}`, undefined, false]),
    ),
  );
  expect(Object.keys(aims).sort()).toEqual(all.map(({ name }) => name).sort());
});

test("what runs says how many rounds, how long, and who refers", () => {
  const args = (of: Partial<typeof extent>) =>
    Object.fromEntries(benchmarks({ ...extent, ...of }).map((one) => [one.name, one.args.join(" ")]));
  const relay = "--base pipe --only pipe,full --sessions 4 --rounds 3 --seconds 4 --referee";
  expect(args({ referee: true })).toEqual({
    price: "--only direct,parse,full,workers --sessions 1,32 --rounds 3 --seconds 4 --referee --warm 3",
    latency: "--rounds 3 --referee",
    stages: "--rounds 3 --seconds 3 --referee",
    bytes: `--call bytes ${relay}`,
    stream: `--call stream ${relay}`,
    sessions: "--rest 32 --referee",
    failover: "",
    overload: "--seconds 60",
    fairness: "--seconds 5",
    soak: "--seconds 600",
  });
  const { price, latency, sessions, soak } = args({ short: true, soakSeconds: 10 });
  expect({ price, latency, sessions, soak }).toEqual({
    price: "--only direct,parse,full,workers --sessions 1,32 --rounds 1 --seconds 1",
    latency: "--rounds 1",
    sessions: "--open 50 --idle 100 --rest 1",
    soak: "--seconds 10",
  });
});
