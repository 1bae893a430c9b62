import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type PathWalk, walkPath } from "../../../runtime/orchestrator/path-walk.ts";
import { WritableFolders } from "../../../runtime/orchestrator/writable-folders.ts";

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "writable-folders-test-")));
  for (const name of ["a/b/c", "other", "state"]) await mkdir(join(folder, name), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const at = (path: string) => join(folder, path);
const walk = (path: string) => walkPath(at(path)) as PathWalk;

test("a walk names every entry and every name of a path", async () => {
  await symlink("../a/b", at("other/link"));
  expect(walk("other/link/c")).toMatchObject({ real: at("a/b/c"), names: [at("other/link/c"), at("a/b/c")] });
  const own = walk("other/link/c").entries.filter(({ path }) => path.startsWith(`${folder}/`));
  expect(own.map(({ path, link }) => [path.slice(folder.length + 1), link])).toEqual([
    ...[
      ["other", false],
      ["other/link", true],
    ],
    ...[
      ["a", false],
      ["a/b", false],
      ["a/b/c", false],
    ],
  ]);
});

test("a path that leads nowhere, or in circles, is none", async () => {
  await symlink("loop", at("loop"));
  await symlink("none", at("dangling"));
  expect([walkPath(at("loop")), walkPath(at("dangling")), walkPath(at("none/x"))]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(walkPath("/")).toEqual({ real: "/", names: ["/"], entries: [] });
});

test("what lies within a folder can be turned by its server; the folder itself cannot", () => {
  const folders = new WritableFolders();
  folders.configure([{ server: "one", path: at("a") }]);
  expect([folders.turning(walk("a")), folders.turning(walk("other"))]).toEqual([undefined, undefined]);
  expect(folders.turning(walk("a/b/c"))).toEqual({ server: "one", path: at("a") });
});

test("a server that still runs counts after the configuration has changed", () => {
  const folders = new WritableFolders();
  const run = {};
  folders.started(run, [{ server: "one", path: at("a") }]);
  folders.configure([]);
  expect(folders.turning(walk("a/b"))).toEqual({ server: "one", path: at("a") });
  folders.ended(run);
  expect(folders.turning(walk("a/b"))).toBeUndefined();
});

test("links in a folder that a server could write to are remembered, also by the next gateway", async () => {
  await symlink("/root", at("a/link"));
  const state = at("state");
  new WritableFolders(state).configure([{ server: "one", path: at("a") }]);
  const next = new WritableFolders(state);
  next.configure([]);
  expect([next.turning(walk("a/link")), next.turning(walk("a/b"))]).toEqual([{ path: at("a") }, undefined]);
  expect(await readdir(state)).toEqual(["sandbox-folders.json"]);
});

test("a thousand folders are remembered, and those that have gone are forgotten", async () => {
  const state = at("state");
  const folders = new WritableFolders(state);
  const named = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => ({ server: "one", path: at(`made-${from + n}`) }));
  for (const { path } of named(1, 1005)) await mkdir(path);
  folders.configure([...named(0, 1), ...named(1, 2)]);
  folders.configure(named(2, 1005));
  const kept = JSON.parse(await readFile(join(state, "sandbox-folders.json"), "utf8"));
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([1000, at("made-5"), at("made-1004")]);
});

test("a file that was cut short says nothing", async () => {
  await writeFile(join(at("state"), "sandbox-folders.json"), '["/a');
  expect(new WritableFolders(at("state")).turning(walk("a/b"))).toBeUndefined();
});
