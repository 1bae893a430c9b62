import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import {
  type FileHandle,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { AuditFile, type AuditFileOptions } from "../../../runtime/security/audit-file.ts";

let folder: string;
let path: string;
let files: AuditFile[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "audit-file-"));
  path = join(folder, "audit.log");
  files = [];
});
afterEach(async () => {
  await Promise.all(files.map((file) => file.close()));
  await rm(folder, { recursive: true });
});

/** A file whose clock and disk the test moves. */
function start(options: Partial<AuditFileOptions> = {}) {
  const states: (string | undefined)[] = [];
  const timers: { readonly at: number; readonly then: () => void }[] = [];
  const disk = { fails: undefined as (() => Error) | undefined, takes: Number.POSITIVE_INFINITY, lost: 0, now: 0 };
  const file = new AuditFile({
    path,
    maxBytes: 1_000_000,
    maxFiles: 3,
    clock: () => disk.now,
    after: (ms, then) => {
      const timer = { at: disk.now + ms, then };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer) >>> 0, 1);
    },
    onState: (reason) => states.push(reason),
    onLost: () => {
      disk.lost += 1;
    },
    write: async (handle, bytes) => {
      const part = bytes.subarray(0, disk.takes);
      disk.takes -= part.length;
      if (part.length === 0) throw disk.fails?.() ?? new Error("ENOSPC: no space left on device, write");
      return (await handle.write(part)).bytesWritten;
    },
    ...options,
  });
  files.push(file);
  const outcomes: string[] = [];
  return {
    file,
    states,
    disk,
    outcomes,
    append: (text: string) =>
      file.append(text).then(
        () => void outcomes.push(text),
        (error: Error) => void outcomes.push(`${text}: ${error.message}`),
      ),
    /** Lets time pass until the next timer, and its work be done. */
    async pass() {
      timers.sort((a, b) => a.at - b.at);
      const next = timers.shift();
      disk.now = next?.at ?? disk.now;
      next?.then();
      // The file system takes its own time.
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    },
    timers,
  };
}
const text = () => readFile(path, "utf8");

test("a full disk ends nothing: the log goes on by itself, on a line of its own, and says how much is missing", async () => {
  const { append, disk, states, outcomes, pass, timers, file } = start();
  await append('{"line":1}');
  disk.takes = 14;
  await Promise.all([append('{"line":2}'), append('{"line":3}')]);
  await append('{"line":4}');
  const full = "ENOSPC: no space left on device, write";
  expect([states, outcomes, disk.lost, file.failing]).toEqual([
    [full],
    ['{"line":1}', '{"line":2}', `{"line":3}: ${full}`, `{"line":4}: ${full}`],
    2,
    full,
  ]);
  const pauses = [];
  for (let round = 0; round < 7; round += 1) {
    pauses.push((timers[0]?.at ?? 0) - disk.now);
    await pass();
  }
  expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 5000]);
  disk.takes = Number.POSITIVE_INFINITY;
  await pass();
  expect([states, file.failing]).toEqual([[full, undefined], undefined]);
  await append('{"line":5}');
  expect(await text()).toBe(
    `{"line":1}\n{"line":2}\n{"l\n${JSON.stringify({
      time: "1970-01-01T00:00:16.300Z",
      event: "gap",
      lost: 2,
      from: "1970-01-01T00:00:00.000Z",
      to: "1970-01-01T00:00:00.000Z",
    })}\n{"line":5}\n`,
  );
});

test("a line that another process is just writing is not taken for a cut one: no empty lines", async () => {
  const program = `const file = fs.openSync(process.argv[1], "a");
    for (let times = 0; times < 25; times += 1) fs.writeSync(file, "x".repeat(4_000_000) + "\\n");`;
  const child = spawn(process.execPath, ["-e", program, path], { stdio: "inherit" });
  const ended = once(child, "exit");
  const { append, file } = start({ maxBytes: Number.MAX_SAFE_INTEGER });
  let lines = 0;
  while (child.exitCode === null) {
    await append("short");
    lines += 1;
  }
  await ended;
  await file.close();
  const found = (await text()).split("\n");
  expect([found.filter((line) => line === "short").length, found.filter((line) => line.endsWith("x")).length]).toEqual([
    lines,
    25,
  ]);
  expect(found.indexOf("")).toBe(found.length - 1);
});

test.each(["EIO", "EROFS", "EMFILE"])("after %s it goes on as well", async (code) => {
  const { append, disk, states, pass } = start();
  disk.takes = 0;
  disk.fails = () => new Error(`${code}: of the disk`);
  await append("a");
  disk.takes = Number.POSITIVE_INFINITY;
  await pass();
  await append("b");
  expect(states).toEqual([`${code}: of the disk`, undefined]);
  expect((await text()).split("\n").map((line) => line.slice(0, 60))).toEqual([
    '{"time":"1970-01-01T00:00:00.100Z","event":"gap","lost":1,"f',
    "b",
    "",
  ]);
});

test("a disk that hangs holds nobody up for more than five seconds, and its memory has a bound", async () => {
  const held = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const { append, outcomes, pass, file, disk, states } = start({
    write: async (handle: FileHandle, bytes: Buffer) => {
      begun.resolve();
      await held.promise;
      return (await handle.write(bytes)).bytesWritten;
    },
  });
  void append("a");
  await begun.promise;
  const large = "x".repeat(1024 * 1024 - 1);
  for (let index = 0; index < 8; index += 1) void append(large);
  expect(file.waiting).toBe(7 * 1024 * 1024 + 2);
  await pass();
  expect(file.waiting).toBe(0);
  const slow = "the disk has not answered within 5000 ms";
  expect(outcomes.filter((one) => one.endsWith(slow))).toHaveLength(8);
  expect(outcomes.filter((one) => one.endsWith("the disk is too slow"))).toHaveLength(1);
  await append("b");
  expect([outcomes.at(-1), disk.lost]).toEqual([`b: ${slow}`, 10]);
  held.resolve();
  await pass();
  await append("c");
  expect(states).toEqual([slow, undefined]);
  expect((await text()).split("\n").filter((line) => line.length < 200)).toEqual([
    ...["a", expect.stringContaining('"event":"gap","lost":10,'), "c", ""],
  ]);
});

test("a line that a killed process has cut does not swallow the next one", async () => {
  await writeFile(path, 'whole\n{"cut', { mode: 0o644 });
  const { append } = start();
  await append("next");
  expect([await text(), (await stat(path)).mode & 0o777]).toEqual(['whole\n{"cut\nnext\n', 0o600]);
});

test("a file that is removed, replaced, or whose folder is gone, is opened again", async () => {
  const { append } = start();
  await append("a");
  await rm(path);
  await append("b");
  expect(await text()).toBe("b\n");
  await rename(path, `${path}.1`);
  await writeFile(path, "another's\n");
  await append("c");
  expect(await text()).toBe("another's\nc\n");
  await rm(folder, { recursive: true });
  await append("d");
  expect(await text()).toBe("d\n");
});

test("four writers rotate one file at once, and no line is lost beyond the files that are kept", async () => {
  const writers = Array.from({ length: 4 }, () => start({ maxBytes: 2000, maxFiles: 1000 }));
  const lines = Array.from({ length: 2000 }, (_, index) => JSON.stringify({ line: index, of: index % 4 }));
  for (let at = 0; at < lines.length; at += 20) {
    const batch = lines.slice(at, at + 20);
    await Promise.all(batch.map((line, index) => writers[index % 4]?.append(line)));
  }
  const names = await readdir(folder);
  const found = (await Promise.all(names.map((name) => readFile(join(folder, name), "utf8"))))
    .flatMap((content) => content.trimEnd().split("\n"))
    .sort();
  expect(found).toEqual([...lines].sort());
  expect(names.length).toBeGreaterThanOrEqual(15);
  expect(writers.map(({ disk }) => disk.lost)).toEqual([0, 0, 0, 0]);
});

test("of rotated files so many are kept, the youngest ones; files of other names stay", async () => {
  await writeFile(join(folder, "20200101-0000-01-audit.log"), "old\n");
  await writeFile(join(folder, "20200101-0000-01-other-audit.log"), "other's\n");
  const { append, disk } = start({ maxBytes: 10, maxFiles: 2 });
  disk.now = Date.parse("2026-01-01T00:00:00Z");
  for (let index = 0; index < 6; index += 1) {
    disk.now += 1000;
    await append(`line number ${index}`);
  }
  expect((await readdir(folder)).sort()).toEqual([
    "20200101-0000-01-other-audit.log",
    expect.stringMatching(/^20260101-000005000-[0-9a-f]{8}-audit.log$/),
    expect.stringMatching(/^20260101-000006000-[0-9a-f]{8}-audit.log$/),
    "audit.log",
  ]);
});

test("a pipe that nobody empties costs lines, which are counted, and never the process", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const reader = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const { append, file, disk, pass } = start({
    path: pipe,
    write: async (to, bytes) => (await to.write(bytes)).bytesWritten,
  });
  for (let index = 0; index < 40; index += 1) await append("x".repeat(4095));
  expect([file.failing, disk.lost > 0]).toEqual([expect.stringContaining("EAGAIN"), true]);
  const read = await reader.read(Buffer.alloc(1024 * 1024));
  expect(read.bytesRead).toBeGreaterThan(0);
  await pass();
  await append("after");
  const { buffer, bytesRead } = await reader.read(Buffer.alloc(1024 * 1024));
  expect(buffer.toString("utf8", 0, bytesRead).split("\n").slice(-3)).toEqual([
    ...[expect.stringContaining(`"event":"gap","lost":${disk.lost},`), "after", ""],
  ]);
  await reader.close();
});

test("a link in place of the audit log is refused: no line goes to a file of somebody else's choice", async () => {
  const victim = join(folder, "victim");
  await writeFile(victim, "before\n", { mode: 0o644 });
  await symlink(victim, path);
  expect(() => start()).toThrow("ELOOP");
  expect([await readFile(victim, "utf8"), (await stat(victim)).mode & 0o777]).toEqual(["before\n", 0o644]);
  await rm(path);
  const { file } = start();
  await file.append("one");
  // Swapped while the gateway runs.
  await rm(path);
  await symlink(victim, path);
  await expect(file.append("two")).rejects.toThrow("ELOOP");
  expect([await readFile(victim, "utf8"), (await stat(victim)).mode & 0o777]).toEqual(["before\n", 0o644]);
});
