import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";

const folder = mkdtempSync(join(tmpdir(), "claims-"));
const script = join(import.meta.dirname, "../bench/claims.ts");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function claims(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

test("a benchmark is run and judged; the table is printed, and a file keeps it with all figures", async () => {
  const file = join(folder, "claims.json");
  const { code, out } = await claims("--only", "fairness", "--short", "--no-referee", "--json", file);
  const { at, machine, load, commit, verdicts, outcomes, ...rest } = JSON.parse(readFileSync(file, "utf8"));
  expect(rest).toEqual({ node: process.versions.node, short: true, soakSeconds: 10, referee: false });
  expect([new Date(at).toISOString() === at, machine.includes("Node.js"), typeof load]).toEqual([true, true, "number"]);
  expect(commit).toMatch(/^[0-9a-f]{40}(-dirty)?$/);
  const { figures } = outcomes.fairness;
  const claim = "share of low calls beside critical ones at saturation";
  const met = figures.lowPercent >= 5;
  expect(verdicts).toEqual([
    { benchmark: "fairness", aim: "low", claim, measured: figures.lowPercent, bound: "≥", limit: 5, unit: "%", met },
  ]);
  expect([out.includes(claim), code]).toEqual([true, met ? 0 : 1]);
});

test("a benchmark that there is not is named with those that there are", async () => {
  const { code, err } = await claims("--only", "price,fairnes");
  expect(code).toBe(1);
  expect(err).toContain(
    'Error: --only: "fairnes" is none of price, latency, stages, bytes, stream, sessions, failover, overload, fairness, soak',
  );
});
