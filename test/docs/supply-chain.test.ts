import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { root } from "./pages.ts";

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly peer?: boolean;
  readonly link?: boolean;
}
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as { packages: Record<string, Locked> };
const packages = Object.entries(lock.packages).filter(([path, { link }]) => path !== "" && link !== true);

/** Licences under which what is shipped may be passed on with nothing but their notices. */
const permissive = [
  "MIT",
  "ISC",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "0BSD",
  "CC0-1.0",
  "Python-2.0",
];
/** One of the alternatives, or every part. */
const allows = (license: string): boolean => {
  const plain = license.replace(/[()]/g, "");
  if (plain.includes(" OR ")) return plain.split(" OR ").some(allows);
  return plain.split(" AND ").every((part) => permissive.includes(part));
};

test("every package of the lock file has the hash of its content", () => {
  expect(packages.filter(([, { integrity }]) => !/^sha512-/.test(integrity ?? "")).map(([path]) => path)).toEqual([]);
});

test("what is shipped is under permissive licences", () => {
  const shipped = packages.filter(([, { dev, peer }]) => dev !== true && peer !== true);
  expect(shipped.length).toBeGreaterThan(10);
  const others = shipped.filter(([, { license = "" }]) => !allows(license));
  expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
});

test("direct dependencies are of one exact version", () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const loose = Object.entries({ ...dependencies, ...devDependencies } as Record<string, string>).filter(
    ([, version]) => !/^(npm:.*@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
  );
  expect(loose).toEqual([]);
});
