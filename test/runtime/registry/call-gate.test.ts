import { expect, test } from "@jest/globals";
import type { FleetError } from "../../../runtime/errors.ts";
import { CallGate } from "../../../runtime/registry/call-gate.ts";
import { ToolFilter } from "../../../runtime/registry/tool-filter.ts";

const tools = new ToolFilter({ deny: ["delete-everything"], aliases: { wipe: "delete-everything" } });
const gate = new CallGate(tools, ["acme/search"]);
const passes = (method: string, params?: Record<string, unknown>, tool?: string): string => {
  try {
    gate.check(method, params, tool);
    return "passes";
  } catch (error) {
    return `${(error as FleetError).code}: ${(error as FleetError).message}`;
  }
};

test("methods of both eras pass, others only where the operator has named them, exact in case", () => {
  for (const method of ["ping", "tools/list", "prompts/list", "resources/templates/list", "logging/setLevel"])
    expect(passes(method)).toBe("passes");
  expect(passes("acme/search", { name: ["anything"] })).toBe("passes");
  const unknown = ["Tools/Call", "tools/call ", "x/y", "acme/Search", "initialize", "server/discover", "tasks/list"];
  for (const method of [...unknown, "subscriptions/listen", "notifications/cancelled", "constructor", ""])
    expect(passes(method, { name: "delete-everything" })).toBe(`METHOD_NOT_FOUND: Method not found: ${method}`);
  expect(passes("x".repeat(1000))).toBe(`METHOD_NOT_FOUND: Method not found: ${"x".repeat(200)}…`);
});

test("a tool that is hidden is unknown, also to tasks that it has made", () => {
  expect(passes("tools/call", { name: "echo" })).toBe("passes");
  expect(passes("tasks/get", { taskId: "t" }, "echo")).toBe("passes");
  const unknown = "INVALID_PARAMS: Unknown tool: delete-everything";
  expect(passes("tools/call", { name: "delete-everything" })).toBe(unknown);
  expect(passes("tasks/result", { taskId: "t" }, "delete-everything")).toBe(unknown);
  // Nobody may ask about a task whose tool is not known.
  expect(passes("tasks/get", { taskId: "t" })).toMatch(/^INVALID_PARAMS: /);
});

test("names and URIs have a length", () => {
  const long = (most: number, what: string) =>
    `INVALID_PARAMS: Invalid params: the ${what} is longer than ${most} characters`;
  expect(passes("tools/call", { name: "a".repeat(1024) })).toBe("passes");
  expect(passes("tools/call", { name: "a".repeat(1025) })).toBe(long(1024, "name"));
  expect(passes("prompts/get", { name: "a".repeat(1025) })).toBe(long(1024, "name"));
  const uri = (length: number) => `x:${"a".repeat(length - 2)}`;
  expect(passes("resources/read", { uri: uri(8192) })).toBe("passes");
  expect(passes("resources/read", { uri: uri(8193) })).toBe(long(8192, "URI"));
});
