import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { configSchema } from "../runtime/config/schema/index.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
const schema = join(dist, "runtime/config/schema/mcp-fleet.schema.json");
mkdirSync(dirname(schema), { recursive: true });
writeFileSync(schema, `${JSON.stringify(configSchema(), null, 2)}\n`);
chmodSync(join(dist, "runtime/cli/main.js"), 0o755);
