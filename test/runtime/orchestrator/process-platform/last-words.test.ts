import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { lastWordsOf } from "../../../../runtime/orchestrator/process-platform/last-words.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "last-words-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the newest last words of a server are found at the end of a long log, whatever else is there", () => {
  const file = join(folder, "gateway.log");
  const line = (fleet: string, stderr: unknown, msg = "last words") => JSON.stringify({ fleet, stderr, msg });
  const filler = `${line("notes", "x".repeat(1000), "other")}\n`.repeat(400);
  const lines = [
    line("notes", "older"),
    line("notes", "a\nb\nc\nd"),
    line("docs", "z"),
    line("notes", 1),
    '"last words" {',
  ];
  writeFileSync(file, `${line("gone", "too long ago")}\n${filler}${lines.join("\n")}\n`);
  expect(["notes", "docs", "gone", "none"].map((name) => lastWordsOf(file, name))).toEqual([
    "b | c | d",
    "z",
    undefined,
    undefined,
  ]);
  expect(lastWordsOf(join(folder, "none"), "notes")).toBe(undefined);
});
