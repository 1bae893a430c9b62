import { expect, test } from "@jest/globals";
import { ToolIndex } from "../../../runtime/routing/tool-index.ts";

const tools = [
  { name: "git__git_log", description: "Shows the commit history." },
  { name: "files__readTextFile", description: "Reads a file.", inputSchema: { properties: { path: {}, head: {} } } },
  { name: "browser__browser_take_screenshot", title: "Screenshot", description: "Takes a picture of the page." },
];
const found = async (query: string, limit = 10) =>
  (await ToolIndex.of(tools, undefined)).search(query, limit).map(({ name }) => name);

test.each([
  ["commit history", "git__git_log"],
  ["take a screenshot", "browser__browser_take_screenshot"],
  ["read text", "files__readTextFile"],
  ["screnshot", "browser__browser_take_screenshot"],
  ["path", "files__readTextFile"],
])("%p finds %s first", async (query, name) => {
  expect((await found(query))[0]).toBe(name);
});

test("a bound holds, and nothing is found for nothing", async () => {
  expect(await found("a the of page file", 1)).toHaveLength(1);
  expect(await found("zzzzzz")).toEqual([]);
});

test("the first ten different words of a query count, and the first 64 characters of each", async () => {
  const padding = Array.from({ length: 9 }, (_none, index) => `qqq${index}`).join(" ");
  expect(await found(`${padding} screenshot`)).toEqual(["browser__browser_take_screenshot"]);
  expect(await found(`${padding} qqq9 screenshot`)).toEqual([]);
  expect(await found(`${"qqq0 ".repeat(50)} screenshot`)).toEqual(["browser__browser_take_screenshot"]);
});

test("an index is kept as long as the tools are the same", async () => {
  const first = await ToolIndex.of(tools, undefined);
  expect(await ToolIndex.of([...tools], first)).toBe(first);
  expect(await ToolIndex.of(tools.slice(1), first)).not.toBe(first);
});

test("a word of one or two letters is no beginning of others: it would find nearly every tool", async () => {
  const index = await ToolIndex.of([{ name: "tell" }, { name: "t" }, { name: "telegram" }], undefined);
  const found = (query: string) => index.search(query, 10).map(({ name }) => name);
  expect([found("t"), found("te"), found("tel").sort()]).toEqual([["t"], [], ["telegram", "tell"]]);
});
