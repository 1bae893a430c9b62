import { execFileSync } from "node:child_process";
import { chmod, cp, lchown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import pino from "pino";
import { PackageCache } from "../../../runtime/orchestrator/package-cache.ts";
import { PackageNotes } from "../../../runtime/orchestrator/package-notes.ts";
import { PackageTree } from "../../../runtime/orchestrator/package-tree.ts";

// npm packs and installs in each of them.
jest.setTimeout(60_000);
let folder: string;
const log = pino({ level: "silent" });

// npm installs from an archive as it does from a registry; the "version" says where it is.
async function packageAt(name: string, manifest: object): Promise<string> {
  const place = await mkdtemp(join(folder, "source-"));
  await writeFile(join(place, "package.json"), JSON.stringify({ name, version: "1.0.0", ...manifest }));
  await writeFile(join(place, "main.js"), "");
  execFileSync("npm", ["pack", "--silent"], { cwd: place });
  return `file:${join(place, `${name}-1.0.0.tgz`)}`;
}

const cacheOf = () => new PackageCache({ log, folder, notes: join(folder, "notes") });
const placeOf = (name: string, version: string) => join(folder, "packages", `${name}@${encodeURIComponent(version)}`);
const refused = (place: string, why: string, fix = "delete the folder") => ({
  code: "PACKAGE_CHANGED",
  message: expect.stringContaining(`is not run from ${place}: ${why}; ${fix}`),
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "package-cache-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("installed once, for all who ask at the same time, and never again", async () => {
  const source = await packageAt("tool", { bin: { tool: "main.js" } });
  const cache = cacheOf();
  const said: string[] = [];
  const two = [1, 2].map(() => cache.ensure("tool", source, (line) => said.push(line)));
  const [one, other] = await Promise.all(two);
  expect(one).toBe(other);
  expect(said).toEqual([`installing tool@${source}`, `installed tool@${source}`]);
  expect(await readdir(join(folder, "packages"))).toEqual([`tool@${encodeURIComponent(source)}`]);
  await cacheOf().ensure("tool", source, (line) => said.push(line));
  expect(said).toHaveLength(2);
});

test("install scripts do not run", async () => {
  const source = await packageAt("sly", { scripts: { postinstall: `touch ${join(folder, "ran")}` } });
  await cacheOf().ensure("sly", source);
  expect(await readdir(folder)).not.toContain("ran");
});

test("a package that cannot be installed is named with the reason, and leaves nothing half done", async () => {
  const cache = cacheOf();
  const failure = await cache.ensure("none", "file:/nowhere/none.tgz").catch((error) => error);
  expect(failure.code).toBe("PACKAGE_NOT_INSTALLED");
  expect(failure.message).toMatch(
    /^none@file:\/nowhere\/none\.tgz cannot be installed: .+; check the version, and that npm reaches its registry$/,
  );
  expect(await readdir(join(folder, "packages"), { recursive: true })).toEqual([]);
  expect(await cache.has("none", "file:/nowhere/none.tgz")).toBe(false);
});

test("a package without the expected command says so", async () => {
  const source = await packageAt("tool", { bin: { other: "main.js" } });
  const installed = await cacheOf().ensure("tool", source);
  expect(() => installed.bin("tool")).toThrow('tool@1.0.0 has no command "tool"; choose another version');
  expect(installed.bin("other")).toBe(join(installed.folder, "main.js"));
});

test("what is run is what was installed: a file that was changed, added or removed since is not", async () => {
  const source = await packageAt("tool", { bin: { tool: "main.js" } });
  const place = placeOf("tool", source);
  const { bin } = await cacheOf().ensure("tool", source);
  expect((await stat(bin("tool"))).mode & 0o222).toBe(0);
  let time = 0;
  const known = new PackageCache({ log, folder, notes: join(folder, "notes"), now: () => time });
  await known.ensure("tool", source);
  const keep = join(folder, "keep");
  await cp(place, keep, { recursive: true, verbatimSymlinks: true });
  const changes: (() => Promise<unknown>)[] = [
    async () => {
      await chmod(bin("tool"), 0o644);
      await writeFile(bin("tool"), "evil()");
    },
    () => writeFile(join(place, "node_modules", "evil.js"), ""),
    () => rm(join(place, "node_modules", "tool", "main.js")),
  ];
  for (const change of changes) {
    await change();
    time += 5000;
    const changed = refused(place, "it is not what was installed");
    // Neither by a gateway that starts, nor by one that has run it before.
    await expect(cacheOf().ensure("tool", source)).rejects.toMatchObject(changed);
    await expect(known.ensure("tool", source)).rejects.toMatchObject(changed);
    await rm(place, { recursive: true });
    await cp(keep, place, { recursive: true, verbatimSymlinks: true });
    expect((await known.ensure("tool", source)).root).toBe(place);
  }
});

test("what somebody has put in the place of a package is not run but replaced", async () => {
  const source = await packageAt("tool", { bin: { tool: "main.js" } });
  const planted = join(placeOf("tool", source), "node_modules", "tool");
  await mkdir(planted, { recursive: true });
  await writeFile(join(planted, "package.json"), JSON.stringify({ name: "tool", version: "1.0.0", bin: "evil.js" }));
  await writeFile(join(planted, "evil.js"), "");
  expect(await cacheOf().has("tool", source)).toBe(false);
  const said: string[] = [];
  const installed = await cacheOf().ensure("tool", source, (line) => said.push(line));
  expect(said).toEqual([`installing tool@${source}`, `installed tool@${source}`]);
  expect(await readdir(installed.folder)).toEqual(["main.js", "package.json"]);
});

test.each<[string, object, string]>([
  ["another package", { name: "other" }, 'its package.json is that of "other"'],
  ["another version", { version: "2.0.0" }, 'its package.json is that of version "2.0.0"'],
])("%s of the wanted name is not installed", async (_what, manifest, why) => {
  const source = await packageAt("tool", { bin: "main.js" });
  const cache = cacheOf();
  const { folder: installed } = await cache.ensure("tool", source);
  // As if it had been installed as 1.0.0 from the registry.
  const place = placeOf("tool", "1.0.0");
  await cp(placeOf("tool", source), place, { recursive: true, verbatimSymlinks: true });
  expect(installed).toContain("node_modules");
  await rm(join(place, "node_modules", "tool", "package.json"));
  await writeFile(
    join(place, "node_modules", "tool", "package.json"),
    JSON.stringify({ name: "tool", version: "1.0.0", ...manifest }),
  );
  const notes = new PackageNotes(join(folder, "notes"));
  await notes.add("tool@1.0.0", await (await PackageTree.read(place)).digest());
  await expect(cacheOf().ensure("tool", "1.0.0")).rejects.toMatchObject(refused(place, why));
});

test("a command is a file of its package", async () => {
  await writeFile(join(folder, "echo.mjs"), "");
  const source = await packageAt("tool", {
    bin: { out: "../../../../echo.mjs", none: "none.js", __proto__: "main.js" },
  });
  const installed = await cacheOf().ensure("tool", source);
  for (const [command, file] of [
    ["out", "../../../../echo.mjs"],
    ["none", "none.js"],
  ] as const) {
    expect(() => installed.bin(command)).toThrow(
      `tool@1.0.0 is not run from ${installed.folder}: its command "${command}" is ${file}, which is no file of the package; delete the folder`,
    );
  }
  expect(() => installed.bin("toString")).toThrow('tool@1.0.0 has no command "toString"; choose another version');
});

test("folders that others can write to, or that are another user's, are not used", async () => {
  const source = await packageAt("tool", { bin: "main.js" });
  const place = placeOf("tool", source);
  const packages = join(folder, "packages");
  const installed = await cacheOf().ensure("tool", source);
  const elsewhere = "choose another folder (MCP_FLEET_CACHE)";
  const ensure = () => cacheOf().ensure("tool", source);

  await chmod(packages, 0o777);
  await expect(ensure()).rejects.toMatchObject(
    refused(packages, `${packages} can be written to by other users`, elsewhere),
  );
  await chmod(packages, 0o755);
  await chmod(folder, 0o757);
  await expect(ensure()).rejects.toMatchObject(
    refused(packages, `${folder} can be written to by other users`, elsewhere),
  );
  await chmod(folder, 0o700);
  await chmod(installed.folder, 0o775);
  await expect(ensure()).rejects.toMatchObject(refused(place, `${installed.folder} can be written to by other users`));
  await chmod(installed.folder, 0o755);
  await symlink("/etc", join(place, "node_modules", "out"));
  await expect(ensure()).rejects.toMatchObject(refused(place, "it is not what was installed"));
  await rm(join(place, "node_modules", "out"));
  expect((await ensure()).root).toBe(place);
  if (process.getuid?.() !== 0) return;
  await lchown(installed.bin("tool"), 12345, 0);
  await expect(ensure()).rejects.toMatchObject(refused(place, `${installed.bin("tool")} belongs to user 12345`));
  await lchown(folder, 12345, 0);
  await expect(ensure()).rejects.toMatchObject(refused(packages, `${folder} belongs to user 12345`, elsewhere));
  await expect(cacheOf().ensure("tool", `${source}#2`)).rejects.toMatchObject({ code: "PACKAGE_CHANGED" });
});

test("two processes that install at the same time both run what is there", async () => {
  const source = await packageAt("tool", { bin: "main.js" });
  const both = await Promise.all([cacheOf(), cacheOf()].map((cache) => cache.ensure("tool", source)));
  expect(both.map(({ root }) => root)).toEqual([placeOf("tool", source), placeOf("tool", source)]);
  expect(await readdir(join(folder, "packages"))).toEqual([`tool@${encodeURIComponent(source)}`]);
  expect((await cacheOf().ensure("tool", source)).bin("tool")).toBe(join(both[0]?.folder as string, "main.js"));
});
