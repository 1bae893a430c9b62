import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Sandbox } from "../../../runtime/config/schema/index.ts";
import { planSandbox } from "../../../runtime/orchestrator/sandbox-plan.ts";
import { WritableFolders } from "../../../runtime/orchestrator/writable-folders.ts";

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "sandbox-plan-test-")));
  for (const name of ["data/state", "logs", "notes"]) await mkdir(join(folder, name), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const at = (path: string) => join(folder, path);

const planOf = (sandbox: Sandbox) => {
  const server = { name: "box", sandbox, command: process.execPath, path: "", cwd: undefined, parts: [] };
  return planSandbox(server, new WritableFolders(), { hidden: [at("data/state")], guarded: [at("logs/audit.log")] });
};

test.each<[string, (at: (path: string) => string) => Sandbox, string, string]>([
  ["a folder around its state", (path) => ({ write: [path("data")] }), "sandbox.write[0]", "holds STATE"],
  ["its state folder", (path) => ({ read: [path("data/state")] }), "sandbox.read[0]", "lies within STATE"],
  ["the folder of its audit log", (path) => ({ write: [path("logs")] }), "sandbox.write[0]", "holds LOG"],
])("the gateway's own files are not a server's: %s", (_what, sandbox, field, why) => {
  const own = why.replace("STATE", at("data/state")).replace("LOG", at("logs/audit.log"));
  const [path] = Object.values(sandbox(at)).flat();
  expect(() => planOf(sandbox(at))).toThrow(
    `servers.box.${field}: is "${path}", which ${own}, which is the gateway's own; name the folders that the server needs`,
  );
});

test("within a folder that a server reads, the state folder is covered", () => {
  expect(planOf({ read: [at("data")], write: [at("notes")] })).toMatchObject({
    folders: [{ server: "box", path: at("notes") }],
    covered: [at("data/state")],
  });
});
