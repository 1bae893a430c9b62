import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { blocks, pageAt } from "../docs/pages.ts";
import { Checkout, freePort } from "../support/checkout.ts";

// The pages' own commands and examples, and the package as npm would publish it.
let checkout: Checkout;
beforeAll(async () => {
  checkout = new Checkout({ modules: "shared" });
  expect((await checkout.run("node scripts/setup.mjs")).code).toBe(0);
});
afterAll(() => checkout.close());

test("the commands of the page Standalone, word for word", async () => {
  const port = await freePort();
  const [making, asking] = blocks(pageAt("docs/use/standalone.md"), "sh");
  const [build, init, validate, serve] = (making as string).trim().split("\n") as [string, string, string, string];
  expect(await checkout.run(build)).toMatchObject({ code: 0 });
  // With no client's file in the user's folder, init writes the four presets.
  expect(await checkout.run(init, { HOME: checkout.temporary })).toMatchObject({ code: 0 });
  const file = join(checkout.path, "mcp-fleet.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace("8080", String(port)));
  expect((await checkout.run(validate)).out).toBe(
    "mcp-fleet.yaml is right: 4 servers (context7, sequential, magic, playwright)\n",
  );
  const options = { cwd: checkout.path, env: checkout.env, stdio: "ignore", detached: true } as const;
  const gateway = spawn("bash", ["-c", serve], options);
  const [status, call] = (asking as string).trim().split("\n") as [string, string];
  const env = { MCP_FLEET_URL: `http://127.0.0.1:${port}` };
  const readyCount = async () => (await checkout.run(status, env)).out.match(/│ ready /g)?.length;
  while ((await readyCount()) !== 4);
  const answer = await checkout.run(call, env);
  expect([answer.code, JSON.parse(answer.out)]).toMatchObject([0, { content: [{ type: "text" }] }]);
  // As Ctrl-C on a terminal: to the whole group.
  process.kill(-(gateway.pid as number), "SIGTERM");
  while (Object.keys(checkout.processes()).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
});

test("the quick start runs as it stands", async () => {
  const { code, out } = await checkout.run("npm exec --no -- node examples/quick-start.ts");
  expect(code).toBe(0);
  expect(out).toContain("thoughtHistoryLength");
  expect(checkout.processes()).toEqual({});
});

test("the package installs beside nothing but its dependencies; command and runtime work", async () => {
  const packed = await checkout.run("npm pack --silent");
  const archive = join(checkout.path, packed.out.trim().split("\n").at(-1) as string);
  const { out: list } = await checkout.run(`tar --list --file ${archive}`);
  const tops = new Set(
    list
      .trim()
      .split("\n")
      .map((name) => name.split("/")[1]),
  );
  expect([...tops].sort()).toEqual(
    ["CHANGELOG.md", "LICENSE", "PulumiPlugin.yaml", "README.md", "dist", "docs", "package.json"].sort(),
  );
  const project = join(checkout.temporary, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }');
  const install = `cd ${project} && npm install --no-audit --no-fund --loglevel=error ${archive}`;
  expect(await checkout.run(install)).toMatchObject({ code: 0 });
  const node = join(checkout.path, "node_modules/node/bin/node");
  const command = join(project, "node_modules/mcp-fleet/dist/runtime/cli/main.js");
  expect((await checkout.run(`${node} ${command} --version`)).out).toBe("0.1.0\n");
  const program = 'import("mcp-fleet/runtime").then((all) => console.log(Object.keys(all).sort().join(" ")))';
  expect((await checkout.run(`cd ${project} && ${node} --eval '${program}'`)).out).toBe(
    "ClusterCoordinator CompleteMCPIntegration ConnectionPool ConnectionPoolManager ErrorKinds FleetError " +
      "MCPServerOrchestrator PooledConnection RequestBatchingEngine Strategies loadConfig startGateway\n",
  );
});
