import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { type Bill, npmComponent } from "../../../scripts/bill-of-materials.ts";
import { docker, dockerOk, hardened, image, TestContainer, until } from "../../support/docker.ts";
import { testWith } from "../../support/needs.ts";

// The image as its page says that it runs: read-only, without capabilities, as a user that nobody else is.
const test = testWith("a Docker engine with the image (npm run image)");
const root = join(import.meta.dirname, "../../..");
const anonymous = ["--env", "MCP_FLEET_ALLOW_ANONYMOUS=true", "--publish", "127.0.0.1::3001"];
const containers: TestContainer[] = [];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "image-test-"));
});
afterEach(async () => {
  await Promise.all(containers.splice(0).map((container) => container.close()));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(options: readonly string[], command: readonly string[] = []): Promise<TestContainer> {
  const container = await TestContainer.start([...hardened, ...options], command);
  containers.push(container);
  return container;
}

async function connect(url: string, mode: "legacy" | "auto" = "legacy", headers = {}): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit: { headers } }));
  return client;
}

const thought = { thought: "a", thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false };

test("MCP_SERVER_TYPE makes a server host of it: both eras are served, it becomes healthy, and it ends with code 0", async () => {
  const host = await start([...anonymous, "--env", "MCP_SERVER_TYPE=sequential"]);
  const url = await host.url(3001);
  for (const mode of ["legacy", "auto"] as const) {
    const client = await connect(url, mode);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["sequentialthinking"]);
    const { isError } = await client.callTool({ name: "sequentialthinking", arguments: thought });
    expect(isError).toBeUndefined();
    await client.close();
  }
  expect((await fetch(`${url}/docs/swagger-ui-bundle.js`)).status).toBe(200);
  expect(await until(async () => ((await host.inspect()).Health?.Status === "healthy" ? "healthy" : undefined))).toBe(
    "healthy",
  );
  expect(await host.stop()).toBe(0);
});

test("without a server in the environment it is a gateway; configuration and secrets come by file", async () => {
  const config = join(folder, "config");
  mkdirSync(join(config, "servers"), { recursive: true });
  writeFileSync(join(folder, "token"), "canary-token");
  writeFileSync(
    join(config, "gateway.yaml"),
    "auth: { bearerTokens: [{ name: operator, token: file:/run/secrets/token }] }\n",
  );
  for (const type of ["sequential", "context7", "magic"]) {
    writeFileSync(join(config, "servers", `${type}.yaml`), `type: ${type}\n`);
  }
  const gateway = await start([
    ...["--publish", "127.0.0.1::8080", "--volume", `${config}:/etc/mcp-fleet:ro`],
    ...["--volume", `${join(folder, "token")}:/run/secrets/token:ro`],
  ]);
  const url = await gateway.url(8080);
  expect((await fetch(`${url}/mcp`, { method: "POST" })).status).toBe(401);
  const client = await connect(url, "legacy", { authorization: "Bearer canary-token" });
  const servers = (await client.listTools()).tools.map(({ name }) => name.split("__")[0]);
  expect([...new Set(servers)]).toEqual(["context7", "magic", "sequential"]);
  await client.close();
  expect(await gateway.logs()).not.toContain("canary-token");
  expect(await gateway.stop()).toBe(0);
});

test("beyond its own container nobody is served without authentication, unless that was said", async () => {
  const gateway = await start([]);
  expect(await until(async () => ((await gateway.inspect()).Status === "exited" ? "exited" : undefined))).toBe(
    "exited",
  );
  expect((await gateway.inspect()).ExitCode).toBe(2);
  expect(await gateway.logs()).toContain("--host: 0.0.0.0 is reached by other machines, without authentication");
});

interface Process {
  readonly Uid: string;
  readonly CapEff: string;
  readonly CapBnd: string;
  readonly NoNewPrivs: string;
}

test("inside: no user but its own, no capability, nothing to write to, no shell, no package manager, no setuid file", async () => {
  const host = await start([...anonymous, "--env", "MCP_SERVER_TYPE=sequential", "--tmpfs", "/tmp"]);
  await host.url(3001);
  const statuses = await host.inside<Process[]>(
    `const { readdirSync, readFileSync } = require("node:fs");
     const fields = (pid) => Object.fromEntries(readFileSync("/proc/" + pid + "/status", "utf8").split("\\n").map((line) => line.split(":\\t")));
     const all = readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map(fields);
     console.log(JSON.stringify(all.map(({ Uid, CapEff, CapBnd, NoNewPrivs }) => ({ Uid, CapEff, CapBnd, NoNewPrivs }))))`,
  );
  // The init process, the host, its server, and the one that looks.
  expect(statuses.length).toBeGreaterThanOrEqual(4);
  const none = "0000000000000000";
  for (const status of statuses) {
    expect(status).toEqual({ Uid: "65532\t65532\t65532\t65532", CapEff: none, CapBnd: none, NoNewPrivs: "1" });
  }
  const { programs, setuid, writable } = await host.inside<{
    programs: string[];
    setuid: string[];
    writable: string[];
  }>(
    `const { accessSync, constants, lstatSync, readdirSync } = require("node:fs");
     const [programs, setuid, writable] = [[], [], []];
     const walk = (folder) => { for (const name of readdirSync(folder)) {
       const path = folder + (folder === "/" ? "" : "/") + name;
       if (["/proc", "/sys", "/dev"].includes(path)) continue;
       const status = lstatSync(path);
       if (status.isDirectory()) walk(path);
       else if (status.mode & 0o111 && !path.includes("node_modules") && !/\\.so(\\.|$)/.test(path)) programs.push(path);
       if (status.mode & 0o6000) setuid.push(path);
       if (status.isSymbolicLink()) continue;
       try { accessSync(path, constants.W_OK); writable.push(path); } catch {}
     } };
     walk("/");
     console.log(JSON.stringify({ programs, setuid, writable }))`,
  );
  // The engine itself puts these two there.
  expect(programs.filter((path) => path !== "/.dockerenv" && path !== "/etc/mtab")).toEqual([
    "/app/lib/bundle/mcp-fleet.js",
    "/usr/local/bin/mcp-fleet",
    "/usr/local/bin/node",
    "/usr/local/bin/tini",
  ]);
  expect(setuid).toEqual([]);
  expect(writable).toEqual(["/tmp"]);
  for (const shell of ["sh", "bash", "busybox", "apt-get", "npm"]) {
    // Engines differ in the code for a program that is not there.
    expect([126, 127]).toContain((await docker(["exec", host.name, shell, "-c", "true"])).code);
  }
});

test("what a server leaves behind is reaped; the load is a share of the container's limits", async () => {
  const fixtures = join(root, "test/fixtures");
  const options = [...anonymous, "--memory", "256m", "--cpus", "0.5", "--volume", `${fixtures}:/fixtures:ro`];
  const host = await start(options, ["host", "--", "node", "/fixtures/orphans-server.mjs"]);
  const url = await host.url(3001);
  const client = await connect(url);
  await client.callTool({ name: "orphan", arguments: {} });
  const processes = () =>
    host.inside<{ state: string; command: string }[]>(
      `const { readdirSync, readFileSync } = require("node:fs");
       console.log(JSON.stringify(readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map((pid) => {
         const stat = readFileSync("/proc/" + pid + "/stat", "utf8");
         return { state: stat.slice(stat.lastIndexOf(")") + 2)[0], command: readFileSync("/proc/" + pid + "/cmdline", "utf8") } })))`,
    );
  const left = ({ state, command }: { state: string; command: string }) => state === "Z" || /0, 300/.test(command);
  await until(async () => ((await processes()).some(left) ? undefined : true));
  const load = (await (await fetch(`${url}/load`)).json()) as { cpu: number; memory: number };
  // Two small programs of Node.js take more than a tenth of 256 MiB, and would not of this machine.
  expect(load.memory).toBeGreaterThan(0.1);
  expect(load.cpu).toBeGreaterThanOrEqual(0);
  await client.close();
});

test("the same sources make the same layer, which is small", async () => {
  const described = async (name: string) => {
    const [found] = JSON.parse(await dockerOk(["image", "inspect", name]));
    return { layers: found.RootFS.Layers as string[], size: found.Size as number, config: found.Config };
  };
  const { layers, size, config } = await described(image);
  expect(size).toBeLessThan(180e6);
  expect(config).toMatchObject({
    User: "65532:65532",
    Entrypoint: ["/usr/local/bin/tini", "--", "/usr/local/bin/mcp-fleet"],
    Labels: { "org.opencontainers.image.title": "mcp-fleet", "org.opencontainers.image.licenses": "Apache-2.0" },
  });
  const again = `${image}-again`;
  await dockerOk([
    "build",
    "--no-cache",
    "--file",
    join(root, "runtime/Dockerfile"),
    "--tag",
    again,
    "--build-arg",
    "BASE",
    root,
  ]);
  expect((await described(again)).layers).toEqual(layers);
  await dockerOk(["rmi", again]);
});

test("the bill of materials names every package in the image, which are few, and its Node.js", async () => {
  const run = promisify(execFile);
  await run(process.execPath, [join(root, "scripts/sbom.ts")]);
  const bill = JSON.parse(readFileSync(join(root, "dist/sbom.cdx.json"), "utf8")) as Bill;
  const host = await start([...anonymous, "--env", "MCP_SERVER_TYPE=sequential"]);
  await host.url(3001);
  const { node, bundled, installed } = await host.inside<{ node: string; bundled: string[]; installed: string[] }>(
    `const { existsSync, readdirSync, readFileSync } = require("node:fs");
     const installed = new Set();
     const look = (folder) => {
       const { name, version } = JSON.parse(readFileSync(folder + "/package.json", "utf8"));
       installed.add(name + "@" + version);
     };
     const walk = (folder) => { for (const entry of readdirSync(folder, { withFileTypes: true })) {
       if (!entry.isDirectory()) continue;
       const path = folder + "/" + entry.name;
       const parent = /node_modules(\\/@[^/]+)?$/.test(folder) && entry.name[0] !== "@" && entry.name[0] !== ".";
       if (parent && existsSync(path + "/package.json")) look(path);
       walk(path);
     } };
     walk("/app");
     const bundled = Object.keys(JSON.parse(readFileSync("/app/packages.json", "utf8")));
     console.log(JSON.stringify({ node: process.versions.node, bundled, installed: [...installed] }))`,
  );
  const expected = [`pkg:generic/node@${node}`, ...[...bundled, ...installed].map((one) => npmComponent(one).purl)];
  expect(bill.components.map(({ purl }) => purl)).toEqual([...new Set(expected)].sort());
  expect(bill).toMatchObject({
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    metadata: { component: { type: "container" } },
  });
  const { Size: bytes } = JSON.parse(await dockerOk(["image", "inspect", image]))[0];
  console.log(
    `${image}: ${(bytes / 1e6).toFixed(1)} MB, ${bill.components.length} packages, ${bundled.length} of them bundled`,
  );
  expect(bill.components.length).toBeLessThan(300);
});
