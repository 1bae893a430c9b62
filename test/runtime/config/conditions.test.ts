import { expect, test } from "@jest/globals";
import { type Condition, ConditionCompiler } from "../../../runtime/config/schema/conditions.ts";

const compile = (text: string) => new ConditionCompiler().compile(text, 0);
const condition = (text: string): Condition => {
  const compiled = compile(text);
  if (typeof compiled !== "function") throw new Error(compiled.message);
  return compiled;
};
const caller = { name: "ann", roles: ["reader"], claims: {} };
const judge = (text: string, args: object) => {
  try {
    return condition(text)({ caller, server: "s", method: "tools/call", tool: "t", name: "t", args });
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
};
const tooLarge = "the arguments are too large for a condition with a comprehension";
const texts = (count: number) => Array.from({ length: count }, (_, index) => `item-${index}`);

test.each([
  [
    "args.items.all(x, !args.bad.exists(y, y == x))",
    "exists() inside another comprehension, whose costs multiply (column 20)",
  ],
  ["args.a.map(x, x.map(y, y)).size() > 1", "map() inside another comprehension, whose costs multiply (column 15)"],
  [
    "cel.bind(f, args.a, f.all(x, cel.bind(g, x, g.filter(z, z == x).size() == 1)))",
    "filter() inside another comprehension, whose costs multiply (column 45)",
  ],
  [
    "cel.bind(a, name + name, cel.bind(b, a + a, cel.bind(c, b + b, cel.bind(d, c + c, cel.bind(e, d + d, e == name)))))",
    "more than 4 additions in cel.bind and comprehensions (column 95)",
  ],
  [
    'name.matches("(a+)+$")',
    "matches() with a pattern of unbounded cost: it repeats a group that itself repeats, is optional or has alternatives (column 1)",
  ],
  [
    'name.matches("^(a|a)*$")',
    "matches() with a pattern of unbounded cost: it repeats a group that itself repeats, is optional or has alternatives (column 1)",
  ],
  [
    'name.matches("^((a?b)c){2,9}$")',
    "matches() with a pattern of unbounded cost: it repeats a group that itself repeats, is optional or has alternatives (column 1)",
  ],
  [
    `name.matches("^${"a?".repeat(20)}$")`,
    "matches() with a pattern of unbounded cost: it has 1048576 ways through its alternatives and optional parts (at most 1024) (column 1)",
  ],
  [
    'name.matches(".*.*.*.*.*.*x")',
    "matches() with a pattern of unbounded cost: it has 6 quantifiers, which is too costly (column 1)",
  ],
  ["name.matches(args.pattern)", "matches() with a pattern that is not a text in quotes (column 1)"],
  [
    String.raw`name.matches(r"^(a)\1$")`,
    "matches() with a pattern of unbounded cost: it has a back reference (column 1)",
  ],
  ['name.matches("^(?!admin)")', "matches() with a pattern of unbounded cost: it looks ahead or behind (column 1)"],
  ['name.matches("(")', "matches() with a pattern of unbounded cost: it is not a regular expression (column 1)"],
])("a condition whose cost a caller could raise is refused with its place: %s", (text, why) => {
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  const fix = why.startsWith("matches")
    ? "write it with startsWith, endsWith or contains, or with one quantifier after ^"
    : "write two rules, or use `x in list` where a list is searched";
  expect(compile(text)).toEqual({
    path: ["authorization", "rules", 0, "when"],
    message: `is ${JSON.stringify(shown)}, whose cost a caller could raise without bound: ${why}`,
    fix,
  });
});

test.each([
  ["args.items.all(x, x.startsWith(args.prefix))", { items: texts(5000), prefix: "item" }, true],
  ["args.items.all(x, x in caller.roles)", { items: ["reader"] }, true],
  [
    "args.items.filter(x, x.size() > 3).map(x, x + args.end).all(y, y.endsWith('!'))",
    { items: texts(100), end: "!" },
    true,
  ],
  ["args.items.all(x, x.matches('^item-[0-9]+$'))", { items: texts(500) }, true],
  ["args.path.matches('^/data/(?:[a-z]+|tmp)/[^/]+[.](json|txt)$')", { path: "/data/ab/c.json" }, true],
  ["args.path.matches(r'^[\\w]{1,8}(-\\d{2}){2}$')", { path: "ab-12-34" }, true],
  ["args.text.contains('needle') && !(args.path in ['a', 'b'])", { text: "x".repeat(4e6), path: "c" }, false],
])("what policies are written for works: %s", (text, args, verdict) => {
  expect(judge(text, args)).toBe(verdict);
});

test.each([
  // The element's own cost is in proportion; what is read again for each one multiplies.
  ["args.items.all(x, x in args.bad)", { items: texts(4000), bad: texts(4000) }, tooLarge],
  ["args.items.all(x, !args.text.contains(x))", { items: texts(4000), text: "y".repeat(1e6) }, tooLarge],
  ["args.items.map(x, args.bad).all(y, !('z' in y))", { items: texts(4000), bad: texts(4000) }, tooLarge],
  ["cel.bind(b, args.bad, args.items.all(x, x in b))", { items: texts(4000), bad: texts(4000) }, tooLarge],
  ["args.text.split(',').all(x, x == '1')", { text: "1,".repeat(500_000) }, tooLarge],
  ["args.items.all(x, x == 1)", { items: Array(2_000_000).fill(1) }, tooLarge],
  ["args.items.all(x, x.matches('^[a-z]*[0-9]*!'))", { items: texts(4000) }, tooLarge],
  [
    "name.matches('^[a-z]*$') && args.text.matches('[a-z]*[0-9]*!')",
    { text: "a".repeat(300_000) },
    "the text is longer than 271 characters",
  ],
])("arguments too large for a condition are not judged, and so not allowed: %s", (text, args, why) => {
  expect(judge(text, args)).toBe(why);
});
