import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// The image's bill of materials, CycloneDX, in `dist/sbom.cdx.json`: Node.js, what is bundled, and the packages of presets as npm
// has noted them. After `npm run bundle`.
const root = join(import.meta.dirname, "..");
const bundle = join(root, "dist/bundle");

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const bundled = Object.keys(JSON.parse(readFileSync(join(bundle, "packages.json"), "utf8")));
const npmComponent = (identity: string): Component => {
  const at = identity.lastIndexOf("@");
  const [packageName, packageVersion] = [identity.slice(0, at), identity.slice(at + 1)];
  const purl = `pkg:npm/${packageName.replace("@", "%40")}@${packageVersion}`;
  return { type: "library", name: packageName, version: packageVersion, purl };
};
const nodeVersion = process.versions.node;
const all = new Map<string, Component>();
for (const component of [
  { type: "platform", name: "node", version: nodeVersion, purl: `pkg:generic/node@${nodeVersion}` },
  ...bundled.map(npmComponent),
  ...presetComponents(),
]) {
  all.set(component.purl, component);
}

const components = [...all.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
const document = {
  bomFormat: "CycloneDX",
  specVersion: "1.5",
  // Of its content, so that the same image has the same bill.
  serialNumber: `urn:uuid:${uuidOf(JSON.stringify(components))}`,
  version: 1,
  metadata: { component: { type: "container", name, version, purl: `pkg:oci/${name}@${version}` } },
  components,
};
mkdirSync(join(root, "dist"), { recursive: true });
writeFileSync(join(root, "dist/sbom.cdx.json"), `${JSON.stringify(document, null, 2)}\n`);
console.log(`dist/sbom.cdx.json: ${components.length} components`);

/** What npm has noted of each preset's folder when it installed it. */
function presetComponents(): Component[] {
  const packages = join(bundle, "cache/packages");
  if (!existsSync(packages)) return [];
  return readdirSync(packages).flatMap((folder) => {
    const lock = JSON.parse(readFileSync(join(packages, folder, "node_modules/.package-lock.json"), "utf8"));
    const installed = Object.entries(lock.packages as Record<string, { version: string }>);
    return installed.map(([path, found]) => npmComponent(`${path.split("node_modules/").at(-1)}@${found.version}`));
  });
}

/** A UUID of version 8 (RFC 9562) made of a hash. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
