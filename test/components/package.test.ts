import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

interface Manifest {
  readonly main: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly scripts: Readonly<Record<string, string>>;
}

test("a package that is installed from git has what it exports: npm runs prepare there, and prepack it does not", () => {
  const { main, bin, exports, scripts } = JSON.parse(
    readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"),
  ) as Manifest;
  const files = [
    main,
    ...Object.values(bin),
    ...Object.values(exports).map((one) => (typeof one === "string" ? one : one.default)),
  ];
  expect(files.filter((file) => !/^(\.\/)?dist\//.test(file))).toEqual(["./package.json"]);
  expect(scripts.prepare).toBe(scripts.build);
});
