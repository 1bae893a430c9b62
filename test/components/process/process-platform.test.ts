import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { MCPGateway, MCPServerFleet } from "../../../index.ts";

const root = mkdtempSync(join(tmpdir(), "process-components-test-"));
let made: Record<string, unknown>[];

beforeEach(() => {
  made = [];
  process.env.MCP_FLEET_STATE = root;
  const newResource = ({ inputs, name }: pulumi.runtime.MockResourceArgs) => {
    made.push(inputs);
    return { id: name, state: { ...inputs, url: "http://127.0.0.1:8080", status: "running", source: "notes" } };
  };
  pulumi.runtime.setMocks({ newResource, call: ({ inputs }) => inputs }, "shop", "test", false);
});
// A component that refuses its arguments has already been announced to the engine.
afterEach(() => (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs());
afterAll(() => rmSync(root, { recursive: true }));

const fleet = (name: string, stateDirectory?: string) =>
  new MCPServerFleet(name, {
    type: "custom",
    process: { command: "node", ...(stateDirectory === undefined ? {} : { stateDirectory }) },
  });
const fix = "give a gateway and its fleets the same process.stateDirectory, and each gateway one of its own";

test("two gateways of one program need a state folder each", () => {
  new MCPGateway("inside", { fleets: [fleet("one")] });
  expect(() => new MCPGateway("outside", { port: 8081, fleets: [fleet("two")] })).toThrow(
    `MCPGateway "outside": process.stateDirectory: ${root}/shop@test is that of the gateway "inside" already; ${fix}`,
  );
  const apart = { port: 8081, fleets: [fleet("three", "/other")], process: { stateDirectory: "/other" } };
  expect(() => new MCPGateway("apart", apart)).not.toThrow();
});

test("a fleet in another state folder than its gateway is refused by name", () => {
  expect(() => new MCPGateway("gateway", { fleets: [fleet("notes", "/other")] })).toThrow(
    `MCPGateway "gateway": fleets: "notes" is in the state folder /other, the gateway in ${root}/shop@test; ${fix}`,
  );
});

/** The provider as the engine has it in its state. */
async function recordedProvider(): Promise<pulumi.dynamic.ResourceProvider> {
  const { serverName } = fleet("notes");
  await new Promise((resolve) => serverName.apply(resolve));
  const text = made.find((inputs) => typeof inputs.__provider === "string")?.__provider as string;
  const module = { exports: {} as { handler: () => pulumi.dynamic.ResourceProvider } };
  new Function("module", "exports", "require", text)(module, module.exports, createRequire(import.meta.url));
  return module.exports.handler();
}

test("what was made with a command that has gone is deleted with the one that is here now", async () => {
  const provider = await recordedProvider();
  const stateDirectory = join(root, "shop@test");
  mkdirSync(join(stateDirectory, "fleets"), { recursive: true });
  writeFileSync(join(stateDirectory, "fleets/notes.json"), "{}");
  const command = { node: "/gone/bin/node", entry: "/gone/mcp-fleet/dist/runtime/cli/main.js" };
  await provider.delete?.("", { name: "notes", stateDirectory, command });
  expect(existsSync(stateDirectory)).toBe(false);
});

test("without any command, deleting says which one is missing and what to do", async () => {
  const provider = await recordedProvider();
  const here = process.cwd();
  const command = { node: process.execPath, entry: "/gone/main.js" };
  process.chdir(root);
  try {
    await expect(provider.read?.("", { name: "notes", command })).rejects.toThrow(
      `the mcp-fleet command of this resource, /gone/main.js, is not there any more, nor is one installed for ${root}; ` +
        "install mcp-fleet there (npm install mcp-fleet)",
    );
  } finally {
    process.chdir(here);
  }
});
