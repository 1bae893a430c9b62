import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { defaults } from "../../../runtime/config/index.ts";
import { configSchema } from "../../../runtime/config/schema/file.ts";

const file = join(import.meta.dirname, "../../../runtime/config/schema/mcp-fleet.schema.json");

test("the JSON Schema file is what the definitions say (`npm run schema` writes it)", () => {
  expect(readFileSync(file, "utf8")).toBe(`${JSON.stringify(configSchema(), null, 2)}\n`);
});

test("every key is described, and a default that its description names is the one in force", () => {
  const wrong: string[] = [];
  const visit = (node: Record<string, unknown>, path: string) => {
    for (const [key, child] of Object.entries((node.properties ?? {}) as Record<string, Record<string, unknown>>)) {
      const description = String(child.description ?? "");
      if (description === "" && child.type !== "object" && child.type !== "array")
        wrong.push(`${path}.${key} is not described`);
      const named = /Defaults to ([\w.]+?)\.?(?=\s|$)/.exec(description.replaceAll("`", ""))?.[1];
      const section = path.split(".").pop() as keyof typeof defaults;
      const value = (defaults[section] as Record<string, unknown> | undefined)?.[key];
      if (named !== undefined && value !== undefined && String(value) !== named && typeof value !== "object")
        wrong.push(`${path}.${key}: ${named} is not ${value}`);
      visit(child, `${path}.${key}`);
    }
    for (const child of Object.values((node.patternProperties ?? {}) as Record<string, Record<string, unknown>>))
      visit(child, "server");
  };
  visit(configSchema() as Record<string, unknown>, "");
  expect(wrong).toEqual([]);
});
