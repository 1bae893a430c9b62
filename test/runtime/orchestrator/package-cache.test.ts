import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import pino from "pino";
import { PackageCache } from "../../../runtime/orchestrator/package-cache.ts";

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

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "package-cache-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("installed once, for all who ask at the same time, and never again", async () => {
  const source = await packageAt("tool", { bin: { tool: "main.js" } });
  const cache = new PackageCache({ log, folder });
  const said: string[] = [];
  const two = [1, 2].map(() => cache.ensure("tool", source, (line) => said.push(line)));
  const [one, other] = await Promise.all(two);
  expect(one).toBe(other);
  expect(said).toEqual([`installing tool@${source}`, `installed tool@${source}`]);
  expect(await readdir(join(folder, "packages"))).toEqual([`tool@${encodeURIComponent(source)}`]);
  await new PackageCache({ log, folder }).ensure("tool", source, (line) => said.push(line));
  expect(said).toHaveLength(2);
});

test("install scripts do not run", async () => {
  const source = await packageAt("sly", { scripts: { postinstall: `touch ${join(folder, "ran")}` } });
  await new PackageCache({ log, folder }).ensure("sly", source);
  expect(await readdir(folder)).not.toContain("ran");
});

test("a package that cannot be installed is named with the reason, and leaves nothing half done", async () => {
  const cache = new PackageCache({ log, folder });
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
  const installed = await new PackageCache({ log, folder }).ensure("tool", source);
  expect(() => installed.bin("tool")).toThrow('tool@1.0.0 has no command "tool"; choose another version');
  expect(installed.bin("other")).toBe(join(installed.folder, "main.js"));
});
