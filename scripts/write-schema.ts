import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configSchema } from "../runtime/config/schema/file.ts";
import { configReference } from "./config-reference.ts";

const root = join(import.meta.dirname, "..");
const schema = configSchema();
writeFileSync(join(root, "runtime/config/schema/mcp-fleet.schema.json"), `${JSON.stringify(schema, null, 2)}\n`);

// Everything after the mark in the page is generated.
const page = join(root, "docs/configuration.md");
const [introduction] = readFileSync(page, "utf8").split(/(?<=<!-- generated: npm run schema -->\n)/);
writeFileSync(page, `${introduction}\n${configReference(schema)}`);
