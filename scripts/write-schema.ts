import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configSchema } from "../runtime/config/schema/file.ts";

const file = join(import.meta.dirname, "../runtime/config/schema/mcp-fleet.schema.json");
writeFileSync(file, `${JSON.stringify(configSchema(), null, 2)}\n`);
