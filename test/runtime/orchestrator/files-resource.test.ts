import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { FilesResource } from "../../../runtime/orchestrator/process-platform/files-resource.ts";

const resource = new FilesResource();
let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "files-test-"));
  folder = join(base, "monitoring");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test("files are written for their owner only, changed, read back and removed", async () => {
  const files = { "a.yml": "one", "b.yml": "two" };
  expect(await resource.check({ folder, files })).toEqual({ ok: true, failures: [] });
  expect(await resource.create({ folder, files })).toEqual({ ok: true, id: folder, outs: { folder, files } });
  expect(statSync(join(folder, "a.yml")).mode & 0o777).toBe(0o600);
  expect(await resource.diff({ folder, files }, { folder, files })).toEqual({ ok: true, changes: false, replaces: [] });
  // Somebody else has written to it: the next update puts it right.
  writeFileSync(join(folder, "a.yml"), "changed");
  expect(await resource.diff({ folder, files }, { folder, files })).toMatchObject({ changes: true });
  await resource.update({ folder, files: { "a.yml": "three" } }, { folder, files });
  expect([readFileSync(join(folder, "a.yml"), "utf8"), existsSync(join(folder, "b.yml"))]).toEqual(["three", false]);
  expect(await resource.read({ folder, files: { "a.yml": "" } })).toMatchObject({
    outs: { files: { "a.yml": "three" } },
  });
  expect(await resource.delete({ folder, files: { "a.yml": "three" } })).toEqual({ ok: true });
  expect(existsSync(folder)).toBe(false);
  expect(await resource.read({ folder, files })).toEqual({ ok: true });
});

test("a path in place of a name is refused", async () => {
  expect(await resource.check({ folder, files: { "../x": "" } })).toEqual({
    ok: true,
    failures: [{ property: "files", reason: '"../x" is not a plain name of a file; give one without a path' }],
  });
});
