import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { billOf, type Component, componentsOf, npmComponent } from "../../scripts/bill-of-materials.ts";

const root = join(import.meta.dirname, "../..");
const subject = { type: "library", name: "shop", version: "1.0.0", purl: "pkg:npm/shop@1.0.0" } as const;

test("a bill has each package once, in order, and a serial number of its content", () => {
  const [b, a] = [npmComponent("b@2.0.0"), npmComponent("@scope/a@1.0.0-rc.1")];
  expect(a).toEqual({
    ...{ type: "library", name: "@scope/a", version: "1.0.0-rc.1" },
    purl: "pkg:npm/%40scope/a@1.0.0-rc.1",
  });
  const bill = billOf(subject, [b, a, b]);
  expect(bill).toEqual({
    ...{ bomFormat: "CycloneDX", specVersion: "1.5", version: 1, metadata: { component: subject } },
    serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
    components: [a, b],
  });
  expect(billOf(subject, [a, b]).serialNumber).toBe(bill.serialNumber);
  expect(billOf(subject, [a]).serialNumber).not.toBe(bill.serialNumber);
});

test("what only development or a peer needs is no part of it", () => {
  const version = "1.0.0";
  const packages = {
    "": { version },
    "node_modules/a": { version },
    "node_modules/a/node_modules/@scope/b": { version },
    "node_modules/tool": { version, dev: true },
    "node_modules/host": { version, peer: true },
    "node_modules/own": { version, link: true },
  } as const;
  expect(componentsOf({ packages }).map(({ purl }) => purl)).toEqual(["pkg:npm/a@1.0.0", "pkg:npm/%40scope/b@1.0.0"]);
});

test("the npm package's bill names what npm itself finds that it needs, and is small", () => {
  interface Tree {
    readonly version?: string;
    readonly dependencies?: Readonly<Record<string, Tree>>;
  }
  const args = ["ls", "--all", "--omit=dev", "--omit=peer", "--omit=optional", "--package-lock-only", "--json"];
  const tree = JSON.parse(execFileSync("npm", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 })) as Tree;
  const found = new Set<string>();
  const walk = ({ dependencies = {} }: Tree) => {
    for (const [name, child] of Object.entries(dependencies)) {
      if (child.version !== undefined) found.add(npmComponent(`${name}@${child.version}`).purl);
      walk(child);
    }
  };
  walk(tree);
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const bill = billOf(subject, componentsOf(lock)).components.map(({ purl }: Component) => purl);
  expect([...found].filter((purl) => !bill.includes(purl))).toEqual([]);
  expect(bill.filter((purl) => !found.has(purl))).toEqual([]);
  console.log(`the npm package brings ${bill.length} packages along`);
  expect(bill.length).toBeLessThan(150);
});
