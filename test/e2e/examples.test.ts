import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { LocalWorkspace, type PulumiCommand, type Stack } from "@pulumi/pulumi/automation/index.js";
import { findEngine } from "../../scripts/pulumi-engine.ts";
import { Checkout, freePort } from "../support/checkout.ts";
import { engineFolder } from "../support/engine-folder.ts";
import { testWith } from "../support/needs.ts";

// Every folder of examples/ as its user has it: beside the package that npm would publish, with a real Pulumi engine.
const test = testWith("a Pulumi engine");
let checkout: Checkout;
let project: string;
let pulumiCommand: PulumiCommand;
/** Does the engine's language host run packages of components? Those that are built here do not. */
let hostsPackages: boolean;

beforeAll(async () => {
  checkout = new Checkout({ modules: "shared" });
  project = join(checkout.temporary, "project");
  mkdirSync(project);
  const packed = await checkout.run("node scripts/setup.mjs && npm pack --silent");
  expect(packed.code).toBe(0);
  const archive = join(checkout.path, packed.out.trim().split("\n").at(-1) as string);
  writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }');
  const { devDependencies: pins } = JSON.parse(readFileSync(join(checkout.path, "package.json"), "utf8"));
  const beside = ["@pulumi/pulumi", "@modelcontextprotocol/server", "zod"].map((name) => `${name}@${pins[name]}`);
  const install = `cd ${project} && npm install --no-audit --no-fund --loglevel=error ${archive} ${beside.join(" ")}`;
  expect(await checkout.run(install)).toMatchObject({ code: 0 });
  const engine = await findEngine(() => {});
  pulumiCommand = engine.command;
  hostsPackages = !process.env.PATH?.includes(engineFolder);
});
afterAll(() => checkout.close());

const examples = join(import.meta.dirname, "../../examples");
const folders = readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory());

/** A copy of an example beside the package, at a free port, with an environment for its engine. */
async function stackOf(name: string, env: Record<string, string> = {}): Promise<Stack> {
  const workDir = join(project, name);
  cpSync(join(examples, name), workDir, { recursive: true });
  const port = String(await freePort());
  for (const file of readdirSync(workDir).filter((one) => /^(index\.ts|Pulumi\.yaml|__main__\.py)$/.test(one))) {
    const path = join(workDir, file);
    const text = readFileSync(path, "utf8").replace("8080", port);
    writeFileSync(path, hostsPackages ? text : text.replace(/^packages:\n( .*\n)+/m, ""));
  }
  symlinkSync(join(project, "node_modules"), join(workDir, "node_modules"));
  const backend = join(checkout.temporary, "backend");
  mkdirSync(backend, { recursive: true });
  // The provider of dynamic resources lies in the SDK where the engine was built, beside the engine where it was installed.
  const path = [join(project, "bin"), join(project, "node_modules/@pulumi/pulumi"), env.PATH ?? process.env.PATH];
  const envVars = {
    ...{ PULUMI_BACKEND_URL: `file://${backend}`, PULUMI_CONFIG_PASSPHRASE: "", MCP_FLEET_STATE: checkout.state },
    ...{ ...env, PATH: path.join(":") },
  };
  return LocalWorkspace.createOrSelectStack({ stackName: "example", workDir }, { pulumiCommand, envVars });
}

/** What a language host that runs packages does with `packages` of a Pulumi.yaml, for one that does not. */
function hostPackage(): void {
  if (hostsPackages) return;
  const bin = join(project, "bin");
  mkdirSync(bin, { recursive: true });
  const modules = join(project, "node_modules");
  const run = `exec node ${modules}/@pulumi/pulumi/cmd/run-plugin ${modules}/mcp-fleet "$@"`;
  writeFileSync(join(bin, "pulumi-resource-mcp-fleet"), `#!/bin/sh\n${run}\n`);
  chmodSync(join(bin, "pulumi-resource-mcp-fleet"), 0o755);
}

/** Up, a call of a tool, nothing more to do, down. */
async function lifeOf(stack: Stack, resources: number, tool: string, args: Record<string, unknown>): Promise<unknown> {
  try {
    const { outputs, summary } = await stack.up();
    expect(summary.resourceChanges).toEqual({ create: resources });
    const client = new Client({ name: "example", version: "1" });
    await client.connect(new StreamableHTTPClientTransport(new URL(outputs.endpoint?.value)));
    const { content } = await client.callTool({ name: tool, arguments: args });
    await client.close();
    expect((await stack.preview()).changeSummary).toEqual({ same: resources });
    return JSON.parse((content as { text: string }[])[0]?.text ?? "");
  } finally {
    await stack.destroy();
  }
}
const thought = { thought: "one step", nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 };

test("each example has a test", () => {
  const tested = ["composing", "custom-server", "existing-vpc", "external-servers", "laptop", "python", "yaml"];
  expect(folders.map(({ name }) => name)).toEqual(tested);
});

// The stack, its components, and the resource of each; and the variables that its servers need, which a preview reads.
for (const [name, resources, variables] of [
  ["composing", 7, {}],
  ["laptop", 11, {}],
  ["external-servers", 7, { TICKETS_TOKEN: "token" }],
] as const) {
  test(`${name} is previewed`, async () => {
    expect((await (await stackOf(name, variables)).preview()).changeSummary).toEqual({ create: resources });
  });
}

test("custom-server: a server of one's own is served", async () => {
  const rolled = await lifeOf(await stackOf("custom-server"), 5, "dice__roll", { dice: 3, sides: 6 });
  expect((rolled as number[]).every((number) => number >= 1 && number <= 6)).toBe(true);
  expect(rolled).toHaveLength(3);
});

test("yaml: a YAML program makes a fleet and its gateway", async () => {
  hostPackage();
  const answer = await lifeOf(await stackOf("yaml"), 5, "thinking__sequentialthinking", thought);
  expect(answer).toMatchObject({ thoughtNumber: 1, totalThoughts: 1 });
});

testWith("a Pulumi engine", "Pulumi's Python SDK (MCP_PYTHON)")(
  "python: a Python program makes them, with the SDK that Pulumi generates",
  async () => {
    hostPackage();
    const python = process.env.MCP_PYTHON as string;
    const site = join(checkout.temporary, "site");
    const sdk = join(checkout.temporary, "sdk");
    const schema = join(checkout.temporary, "schema.json");
    const manifest = JSON.parse(readFileSync(join(project, "node_modules/mcp-fleet/package.json"), "utf8"));
    const built = JSON.parse(
      readFileSync(join(project, "node_modules/mcp-fleet/dist/components/package.schema.json"), "utf8"),
    );
    writeFileSync(schema, JSON.stringify({ ...built, version: manifest.version }));
    if (hostsPackages) execFileSync("pulumi", ["package", "gen-sdk", schema, "--language", "python", "--out", sdk]);
    else execFileSync(join(engineFolder, "sdkgen"), [schema, sdk]);
    execFileSync(python, ["-m", "pip", "install", "--quiet", "--no-deps", "--target", site, sdk]);
    const stack = await stackOf("python", { PATH: `${dirname(python)}:${process.env.PATH}`, PYTHONPATH: site });
    const answer = await lifeOf(stack, 5, "thinking__sequentialthinking", thought);
    expect(answer).toMatchObject({ thoughtNumber: 1, totalThoughts: 1 });
  },
);
