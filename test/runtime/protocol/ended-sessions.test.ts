import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { EndedSessions } from "../../../runtime/protocol/ended-sessions.ts";

const own = `${process.pid}.txt`;
let stateDirectory: string;
let folder: string;
let now = 1000;
const warned: string[] = [];
beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "ended-"));
  folder = join(stateDirectory, "ended-sessions");
  now = 1000;
  warned.length = 0;
});
afterEach(() => rm(stateDirectory, { recursive: true, force: true }));

const open = (max?: number) =>
  new EndedSessions({
    stateDirectory,
    shared: true,
    max,
    maxAgeMs: 500,
    clock: () => now,
    log: { warn: (text: unknown) => void warned.push(String(text)) } as never,
  });
/** What another process of the gateway has written. */
const others = async (text: string) => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "other.txt"), text, { flag: "a" });
};

test("an end outlives the process, in a file of its user alone", async () => {
  open().add("first");
  const after = open();
  expect([after.has("first"), after.has("second"), after.size]).toEqual([true, false, 1]);
  expect((await stat(join(folder, own))).mode & 0o777).toBe(0o600);
});

test("a worker hears of what another one ended, however long it has been running", async () => {
  const ended = open();
  expect(ended.has("first")).toBe(false);
  await others("first 1500\nsec");
  expect([ended.has("first"), ended.has("second"), ended.has("sec")]).toEqual([true, false, false]);
  await others("ond 1500\n");
  expect([ended.has("second"), ended.size]).toEqual([true, 2]);
});

test("what is too old to be found anyway is forgotten, and so is a file that holds nothing else", async () => {
  await others("gone 1000\n");
  const ended = open();
  ended.add("first");
  now = 1501;
  ended.add("second");
  expect([ended.size, open().size, open().has("second")]).toEqual([1, 1, true]);
  expect(await readdir(folder)).toEqual([own]);
});

test("a line that a crash has cut off loses no other one", async () => {
  await others("first 1500\nsecond 15");
  expect([open().has("first"), open().has("second"), open().size]).toEqual([true, false, 1]);
});

test("memory and file are bounded, whatever a client ends", async () => {
  const ended = open(50);
  for (let index = 0; index < 150; index += 1) ended.add(`id-${index}`);
  expect([ended.size, ended.has("id-149"), ended.has("id-99")]).toEqual([50, true, false]);
  // Written again at the 101st line with the latest fifty, then 49 more.
  expect((await readFile(join(folder, own), "utf8")).match(/\n/g)).toHaveLength(99);
  expect(await readdir(folder)).toEqual([own]);
  expect(open(50).has("id-149")).toBe(true);
});

test("a folder that cannot be written is told, and the session has ended all the same", async () => {
  await writeFile(folder, "");
  const ended = open();
  ended.add("first");
  expect([ended.has("first"), warned.length]).toEqual([true, 3]);
  expect(warned[2]).toMatch(/\.txt cannot be written \(.*ENOTDIR.*\): ended sessions could come back after a restart$/);
});
