import { expect, test } from "@jest/globals";
import { mutants } from "../mutants/mutants.ts";
import { pageAt } from "./pages.ts";

const { text } = pageAt("SECURITY.md");
const table = text.slice(text.indexOf("| Threat | Control |"), text.indexOf("## What is left to you"));
const rows = table
  .trim()
  .split("\n")
  .slice(2)
  .map((line) => line.split("|").map((cell) => cell.trim()));

test("every threat has a control, a test, and how that was seen failing", () => {
  expect(rows.length).toBeGreaterThan(25);
  const named = /^(both ways: (`[\w.]+`, )*`[\w.]+`(; )?)?(mutant `[\w-]+`|mutants (`[\w-]+`, )+`[\w-]+`)?$/;
  const wrong = rows.filter(
    ([, threat, control, tests, seen = "", ...rest]) =>
      !(threat && control && tests?.includes("](test/") && seen !== "" && named.test(seen) && rest.length === 1),
  );
  expect(wrong).toEqual([]);
});

test("the mutants that the table names are those that there are", () => {
  const named = rows.flatMap(([, , , , seen = ""]) => {
    const behind = /mutants? (.*)$/.exec(seen)?.[1] ?? "";
    return [...behind.matchAll(/`([\w-]+)`/g)].map(([, name]) => name);
  });
  expect(named.sort()).toEqual(mutants.map(({ name }) => name).sort());
});
