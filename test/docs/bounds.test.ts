import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Metrics } from "../../runtime/observability/metrics.ts";
import { holders } from "./holders.ts";
import { pageAt, root } from "./pages.ts";

const { text } = pageAt("docs/bounds.md");
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| Where"))
  .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim()));

/** What the page lists: `file name`, of cells like "`a/b.ts` `#one`, `#two`, `c/d.ts` `three`". */
const listed = rows.flatMap(([where = ""]) => {
  let file = "";
  return [...where.matchAll(/`([^`]+)`/g)].flatMap(([, word = ""]) => {
    if (!word.endsWith(".ts")) return file === "" ? [] : [`${file} ${word}`];
    file = word;
    return [];
  });
});

test("every array, map, queue and buffer of the gateway is on the page, and nothing else", () => {
  const found = holders().map(({ file, name }) => `${file} ${name}`);
  expect(found.length).toBeGreaterThan(90);
  expect({ missing: found.filter((one) => !listed.includes(one)) }).toEqual({ missing: [] });
  expect({ gone: listed.filter((one) => !found.includes(one)) }).toEqual({ gone: [] });
  expect(listed.length).toBe(new Set(listed).size);
});

test("every bound says what happens when it is full, how full it is and which test fills it", () => {
  const wrong = rows.filter((cells) => {
    if (cells.length === 2) return cells.includes("");
    const [, , , , metric = "", tests = ""] = cells;
    const measured = metric.startsWith("`") || /^none: .+|^statistics/.test(metric);
    const file = /\]\(\.\.\/(test\/[^)]+\.test\.ts)\)$/.exec(tests)?.[1];
    return cells.length !== 6 || cells.includes("") || !measured || file === undefined || !existsSync(join(root, file));
  });
  expect(wrong).toEqual([]);
});

test("a container that nobody listed is found, whatever its form", () => {
  expect(holders()).toEqual(
    expect.arrayContaining([
      { file: "protocol/session-table.ts", name: "#live" },
      { file: "upstreams/line-writer.ts", name: "#lines" },
      { file: "upstreams/line-writer.ts", name: "#onSent" },
      { file: "performance/priority-queue.ts", name: "#levels" },
      { file: "config/schema/validate.ts", name: "compiled" },
    ]),
  );
});

test("metrics that the page names are those of the gateway", async () => {
  const named = [...text.matchAll(/`(mcp_[a-z_]+)(?:\{[^}]*\})?`/g)].map(([, name]) => name as string);
  const metrics = new Metrics(
    () => [],
    () => ({ live: 0, max: 1 }),
  );
  const own = await metrics.text();
  const elsewhere = ["mcp_auth_refused_total", "mcp_audit_lost_total", "mcp_rate_limit_degraded_total"];
  const gauges = ["mcp_instance_limit_utilization"];
  expect(named.filter((name) => ![...elsewhere, ...gauges].includes(name) && !own.includes(name))).toEqual([]);
});
