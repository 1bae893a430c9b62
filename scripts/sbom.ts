import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bill, billOf, type Component, componentsOf, npmComponent } from "./bill-of-materials.ts";

// Bills of materials, CycloneDX. `dist/sbom-npm.cdx.json`: what the lock file brings along with the npm package.
// `dist/sbom.cdx.json`, after `npm run bundle`, the image's: Node.js, what is bundled, and the packages of presets as npm has
// noted them.
const root = join(import.meta.dirname, "..");
const bundle = join(root, "dist/bundle");
const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const { name, version } = read(join(root, "package.json")) as { name: string; version: string };
mkdirSync(join(root, "dist"), { recursive: true });

const ofPackage = componentsOf(read(join(root, "package-lock.json")));
write("sbom-npm.cdx.json", billOf({ type: "library", name, version, purl: `pkg:npm/${name}@${version}` }, ofPackage));
if (existsSync(join(bundle, "packages.json"))) {
  const subject = { type: "container", name, version, purl: `pkg:oci/${name}@${version}` } as const;
  write("sbom.cdx.json", billOf(subject, ofImage()));
} else {
  console.log("dist/sbom.cdx.json: not written, as there is no bundle; npm run bundle makes it");
}

function write(file: string, bill: Bill): void {
  writeFileSync(join(root, "dist", file), `${JSON.stringify(bill, null, 2)}\n`);
  console.log(`dist/${file}: ${bill.components.length} components`);
}

function ofImage(): Component[] {
  const node = process.versions.node;
  const bundled = Object.keys(read(join(bundle, "packages.json")));
  return [
    { type: "platform", name: "node", version: node, purl: `pkg:generic/node@${node}` },
    ...bundled.map(npmComponent),
    ...presetComponents(),
  ];
}

/** What npm has noted of each preset's folder when it installed it. */
function presetComponents(): Component[] {
  const packages = join(bundle, "cache/packages");
  if (!existsSync(packages)) return [];
  return readdirSync(packages).flatMap((folder) => [
    ...componentsOf(read(join(packages, folder, "node_modules/.package-lock.json"))),
  ]);
}
