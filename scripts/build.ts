import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
chmodSync(join(root, "dist/runtime/cli/main.js"), 0o755);

// What programs of other languages are told of the components.
copyFileSync(join(root, "components/package.schema.json"), join(root, "dist/components/package.schema.json"));

// The page at /docs needs two files of Swagger UI, not the twelve megabytes of its package.
const swagger = join(root, "node_modules/swagger-ui-dist");
const assets = join(root, "dist/runtime/assets");
mkdirSync(assets, { recursive: true });
for (const name of ["swagger-ui.css", "swagger-ui-bundle.js", "LICENSE", "NOTICE"]) {
  copyFileSync(join(swagger, name), join(assets, name));
}
