import { link, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { FolderMeter } from "../../../runtime/host/folder-meter.ts";
import { folderBytes } from "../../../runtime/host/folder-size.ts";

const mib = 2 ** 20;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "folder-size-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("all files count once, links lead nowhere, and empty ones are not free", async () => {
  await mkdir(join(folder, "a/b"), { recursive: true });
  await writeFile(join(folder, "a/b/big"), Buffer.alloc(3 * mib, 1));
  await link(join(folder, "a/b/big"), join(folder, "again"));
  await symlink("/usr", join(folder, "usr"));
  const before = await folderBytes(folder, 100 * mib);
  expect([before >= 3 * mib, before < 4 * mib]).toEqual([true, true]);
  for (let n = 0; n < 10; n += 1) await writeFile(join(folder, `empty-${n}`), "");
  expect((await folderBytes(folder, 100 * mib)) - before).toBe(10 * 4096);
  expect(await folderBytes(folder, 4096)).toBeLessThan(4 * mib);
  expect(await folderBytes(join(folder, "none"), mib)).toBe(0);
});

test("a look begins when the last one has ended, and not at once when that took long", async () => {
  let [now, reads] = [0, 0];
  const pending: ((bytes: number) => void)[] = [];
  const read = () => {
    reads += 1;
    return new Promise<number>((resolve) => pending.push(resolve));
  };
  const meter = new FolderMeter({ folder, enough: 10, now: () => now, read });
  expect([meter.look(), meter.look(), reads]).toEqual([0, 0, 1]);
  now = 100;
  pending[0]?.(7);
  await new Promise(setImmediate);
  expect([meter.look(), reads]).toEqual([7, 1]);
  now = 1100;
  expect([meter.look(), reads]).toEqual([7, 2]);
});
