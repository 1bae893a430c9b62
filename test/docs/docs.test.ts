import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { configSchema } from "../../runtime/config/schema/file.ts";
import { issueText, validateConfig, validateGateway, validateServer } from "../../runtime/config/schema/index.ts";
import { ErrorKinds } from "../../runtime/errors.ts";
import { configReference } from "../../scripts/config-reference.ts";
import { blocks, pageAt, pages, root } from "./pages.ts";

test("every link inside the repository leads somewhere", () => {
  const broken = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
      .map((match) => match[1] as string)
      .filter((target) => !existsSync(join(root, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test("every TypeScript snippet is one of the examples, word for word", () => {
  const examples = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "examples/*.ts"], {
    cwd: root,
    encoding: "utf8",
  });
  const sources = examples
    .trim()
    .split("\n")
    .map((file) => readFileSync(join(root, file), "utf8"));
  const snippets = pages.flatMap((page) => blocks(page, "ts"));
  expect(snippets.length).toBeGreaterThan(1);
  expect(snippets.filter((snippet) => !sources.includes(snippet))).toEqual([]);
});

test("every YAML snippet is a right configuration, of a file or of a stack", () => {
  const wrong = pages.flatMap((page) =>
    blocks(page, "yaml").flatMap((text) => {
      const value = parse(text) as Record<string, Record<string, unknown>>;
      const stack = value.config;
      if (stack === undefined) return validateConfig(value).map(issueText);
      const fleets = Object.values(stack["mcp-fleet:fleets"] as object);
      return [...validateGateway(stack["mcp-fleet:gateway"]), ...fleets.flatMap(validateServer)].map(issueText);
    }),
  );
  expect(wrong).toEqual([]);
});

test("docs/errors.md lists every coded error as it is", () => {
  const rows = [
    ...pageAt("docs/errors.md").text.matchAll(/^\| `(\w+)` \| (\d+) \| (-\d+) \| (yes|no) \| .+ \| .+ \|$/gm),
  ];
  const listed = rows.map(([, code, status, rpc, again]) => [
    code,
    { status: Number(status), rpc: Number(rpc), retryable: again === "yes" },
  ]);
  expect(listed).toEqual(Object.entries(ErrorKinds));
});

test("docs/configuration.md is what the schema says (`npm run schema` writes it)", () => {
  expect(pageAt("docs/configuration.md").text.split("<!-- generated: npm run schema -->\n\n")[1]).toBe(
    configReference(configSchema()),
  );
});

test("docs/dependencies.md gives the reason of every direct dependency, and of no other package", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const listed = [...pageAt("docs/dependencies.md").text.matchAll(/^\| \[(.+?)\]/gm)].map((match) => match[1]);
  expect(listed.sort()).toEqual(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).sort());
});

test("every npm script that a page names exists", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const named = new Set(pages.flatMap(({ text }) => [...text.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1])));
  expect([...named].filter((name) => !((name as string) in scripts))).toEqual([]);
});
