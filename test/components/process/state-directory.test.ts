import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { stateDirectory } from "../../../components/process/state-directory.ts";

const before = process.env.MCP_FLEET_STATE;
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "state-directory-test-"));
  process.env.MCP_FLEET_STATE = root;
});
afterEach(() => {
  if (before === undefined) delete process.env.MCP_FLEET_STATE;
  else process.env.MCP_FLEET_STATE = before;
  rmSync(root, { recursive: true });
});

/** The folder of a stack, below the root. */
function folderOf(project: string, stack: string, organization?: string): string {
  const mocks = { newResource: () => ({ id: "", state: {} }), call: () => ({}) };
  pulumi.runtime.setMocks(mocks, project, stack, false, organization);
  return stateDirectory().slice(root.length + 1);
}

test("no two stacks have the same state folder", () => {
  expect([folderOf("a-b", "c"), folderOf("a", "b-c")]).toEqual(["a-b@c", "a@b-c"]);
  expect([folderOf("a", "c", "one"), folderOf("a", "c", "two")]).toEqual(["one@a@c", "two@a@c"]);
});

test("a folder of an earlier version stays that of its stack, and of no other", () => {
  mkdirSync(join(root, "a-b-c"));
  expect([folderOf("a-b", "c"), folderOf("a-b", "d")]).toEqual(["a-b-c", "a-b@d"]);
  writeFileSync(join(root, "a-b-c/owner.json"), JSON.stringify({ project: "a-b", stack: "c" }));
  expect([folderOf("a-b", "c"), folderOf("a", "b-c")]).toEqual(["a-b-c", "a@b-c"]);
});
