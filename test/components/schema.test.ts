import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import * as components from "../../index.ts";

// Not part of the SDK's typed surface, but what it serves other languages with.
const { ComponentProvider } = createRequire(import.meta.url)("@pulumi/pulumi/provider/experimental/provider") as {
  ComponentProvider: new (options: object) => { getSchema(): Promise<string> };
};
const golden = join(import.meta.dirname, "../../components/package.schema.json");

test("Python, Go and YAML programs get this package (UPDATE_GOLDEN=1 writes a wanted change)", async () => {
  const { MCPGateway, MCPNetwork, MCPServerFleet, MonitoringStack } = components;
  const dirname = join(import.meta.dirname, "../..");
  const provider = new ComponentProvider({
    dirname,
    name: "mcp-fleet",
    components: [MCPGateway, MCPNetwork, MCPServerFleet, MonitoringStack],
  });
  const { version, ...schema } = JSON.parse(await provider.getSchema());
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(golden, `${JSON.stringify(schema, null, 2)}\n`);
  expect(schema).toEqual(JSON.parse(readFileSync(golden, "utf8")));
}, 300_000);
