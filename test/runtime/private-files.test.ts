import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { startLog } from "../../runtime/observability/logger.ts";
import { StateFolder } from "../../runtime/orchestrator/process-platform/state-folder.ts";
import { privateFolder } from "../../runtime/private-files.ts";
import { sessionKeys } from "../../runtime/protocol/session-keys.ts";

let folder: string;
let umask: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "private-files-"));
  umask = process.umask(0);
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true, force: true });
});

const at = (...names: string[]) => join(folder, ...names);
const modeOf = (...names: string[]) => (statSync(at(...names)).mode & 0o7777).toString(8);
const settings = { level: "info", maxBytes: 300, maxFiles: 3 };

test("log files, rotated ones included, can be read by nobody else, whatever the umask", async () => {
  const { log, close } = startLog({ ...settings, file: at("log", "gateway.log") }, () => []);
  for (let count = 0; count < 20; count += 1) {
    log.info("x".repeat(100));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await close();
  const { readdirSync } = await import("node:fs");
  const names = readdirSync(at("log"));
  expect(names.length).toBeGreaterThan(2);
  expect(names.map((name) => [name, modeOf("log", name)])).toEqual(names.map((name) => [name, "600"]));
  expect(modeOf("log")).toBe("700");
});

test("looser files of an earlier version are narrowed, and files of others in the folder are left alone", async () => {
  for (const name of ["gateway.log", "20260101-0000-01-gateway.log", "other.txt"])
    writeFileSync(at(name), "old\n", { mode: 0o644 });
  const { log, close } = startLog({ ...settings, maxBytes: 100_000, file: at("gateway.log") }, () => []);
  log.info("new");
  await close();
  expect(["gateway.log", "20260101-0000-01-gateway.log", "other.txt"].map((name) => modeOf(name))).toEqual([
    "600",
    "600",
    "644",
  ]);
  expect(readFileSync(at("gateway.log"), "utf8")).toMatch(/^old\n.*"msg":"new"/);
});

test("a symbolic link in the place of the log file is not followed", () => {
  writeFileSync(at("precious"), "precious");
  symlinkSync(at("precious"), at("gateway.log"));
  expect(() => startLog({ ...settings, file: at("gateway.log") }, () => [])).toThrow(
    `gateway.log.file: ${at("gateway.log")} cannot be written (it is a symbolic link); name a file in a folder that can be written`,
  );
  expect(readFileSync(at("precious"), "utf8")).toBe("precious");
});

test("the state folder is private, also one that was looser, wherever it is first used", async () => {
  for (const use of [
    (path: string) => sessionKeys(undefined, path),
    (path: string) => sessionKeys([{ id: "k", key: Buffer.alloc(32).toString("base64url") }], path),
    (path: string) => new StateFolder(path).write(new StateFolder(path).gatewayFile, {}),
  ]) {
    for (const old of [undefined, 0o755, 0o777]) {
      const path = at("state");
      if (old !== undefined) mkdirSync(path, { mode: old });
      await use(path);
      expect(modeOf("state")).toBe("700");
      rmSync(path, { recursive: true });
    }
  }
});

test("a folder that many share keeps its mode", () => {
  mkdirSync(at("shared"));
  chmodSync(at("shared"), 0o1777);
  privateFolder(at("shared"));
  expect(modeOf("shared")).toBe("1777");
});
