import { test } from "@jest/globals";
import { has, type Need } from "./present.ts";

/** A test that runs only where this machine has what it needs; elsewhere it is skipped and its name says why. */
export function testWith(...needs: Need[]): (name: string, run: () => Promise<void> | void, timeout?: number) => void {
  const missing = needs.filter((need) => !has(need));
  if (missing.length === 0) return test;
  const { skip } = test;
  return (name, run) => skip(`${name} [needs ${missing.join(", ")}]`, run);
}
