import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";

// The command and what it needs of its dependencies in a few files, for the container image: `dist/bundle`.
const root = join(import.meta.dirname, "..");
const target = join(root, "dist/bundle");
const { name, version, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
rmSync(target, { recursive: true, force: true });

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { "mcp-fleet": "runtime/cli/main.ts", healthcheck: "runtime/host/healthcheck.ts" },
  outdir: join(target, "lib/bundle"),
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  // CommonJS dependencies call `require` for what Node.js itself has.
  banner: {
    js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
  },
  // Part of no image: Pulumi drives deployments from outside. Native parts of ws that it can do without.
  external: ["@pulumi/*", "bufferutil", "utf-8-validate"],
});

// The version and the files of the pages at /docs and /dashboard are looked for beside the code, as in the built package.
writeFileSync(join(target, "package.json"), `${JSON.stringify({ name, version, license, type: "module" })}\n`);
const assets = join(target, "lib/assets");
mkdirSync(assets, { recursive: true });
for (const file of ["swagger-ui.css", "swagger-ui-bundle.js", "LICENSE", "NOTICE"]) {
  copyFileSync(join(root, "node_modules/swagger-ui-dist", file), join(assets, file));
}
copyFileSync(join(root, "node_modules/chart.js/dist/chart.umd.min.js"), join(assets, "chart.umd.min.js"));
writeFileSync(join(target, "packages.json"), `${JSON.stringify(packagesIn(metafile), null, 2)}\n`);
// The image has no `env` that could look for Node.js.
const entry = join(target, "lib/bundle/mcp-fleet.js");
writeFileSync(entry, readFileSync(entry, "utf8").replace(/^#!.*/, "#!/usr/local/bin/node"));
chmodSync(entry, 0o755);

/** The packages of which something is in the bundle, with their versions. */
function packagesIn({ inputs }: Metafile): Record<string, string> {
  const folders = Object.keys(inputs).flatMap(
    (path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  const manifests = [...new Set([...folders, "node_modules/swagger-ui-dist", "node_modules/chart.js"])].map((folder) =>
    JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")),
  );
  return Object.fromEntries(manifests.map((one) => [`${one.name}@${one.version}`, one.license]).sort());
}
