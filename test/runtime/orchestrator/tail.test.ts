import { expect, test } from "@jest/globals";
import { Tail } from "../../../runtime/orchestrator/tail.ts";

test("of what a process says twenty lines are kept, and five hundred characters of each", () => {
  const told: string[] = [];
  const tail = new Tail((line) => told.push(line));
  for (let at = 0; at < 50; at += 1) tail.push(Buffer.from(`line ${at}\n`));
  expect([told.length, tail.text.split("\n")[0], tail.text.split("\n").length]).toEqual([50, "line 30", 20]);
  tail.push(Buffer.from(`${"x".repeat(2000)}\n`));
  for (let at = 0; at < 100; at += 1) tail.push(Buffer.from("without an end ".repeat(100)));
  const lines = tail.text.split("\n");
  expect([lines.length, lines.at(-2)?.length, lines.at(-1)?.length]).toEqual([21, 500, 500]);
});
