import { expect, test } from "@jest/globals";
import { FleetError } from "../../../runtime/errors.ts";
import { type Subject, subjectOf } from "../../../runtime/security/subject.ts";

const read = (method: string, params: Record<string, unknown> | undefined, tool?: string): Subject | string => {
  try {
    return subjectOf(method, params, tool);
  } catch (error) {
    const { code, message } = error as FleetError;
    expect(error).toBeInstanceOf(FleetError);
    return `${code} ${message.replace("Invalid params: ", "")}`;
  }
};

test("a call is judged by its tool, prompt, resource or method, else by the server", () => {
  const ofServer = { kind: "server", name: "" };
  expect(read("tools/call", { name: "a", arguments: {} })).toEqual({ kind: "tools", name: "a" });
  expect(read("tools/call", { name: "caf\u00e9" })).not.toEqual(read("tools/call", { name: "cafe\u0301" }));
  expect(read("prompts/get", { name: "p", arguments: null })).toEqual({ kind: "prompts", name: "p" });
  for (const method of ["resources/read", "resources/subscribe", "resources/unsubscribe"])
    expect(read(method, { uri: "x://a" })).toEqual({ kind: "resources", name: "x://a" });
  expect(read("completion/complete", { ref: { type: "ref/prompt", name: "p" } })).toEqual({
    kind: "prompts",
    name: "p",
  });
  expect(read("completion/complete", { ref: { type: "ref/resource", uri: "x://{id}" } })).toEqual({
    kind: "resources",
    name: "x://{id}",
  });
  for (const method of ["ping", "tools/list", "logging/setLevel"]) expect(read(method, undefined)).toEqual(ofServer);
  expect(read("acme/search", { name: "a" })).toEqual({ kind: "methods", name: "acme/search" });
  expect(read("tasks/get", { taskId: "t" }, "admin")).toEqual({ kind: "tools", name: "admin", ofTask: true });
});

test.each<[string, Record<string, unknown> | undefined, string]>([
  ["tools/call", undefined, '"name" must be a string'],
  ["tools/call", { name: ["admin"] }, '"name" must be a string'],
  ["tools/call", { name: "admin\0" }, '"name" has a control character'],
  ["tools/call", { name: "ad\u0085min" }, '"name" has a control character'],
  ["tools/call", { name: "admin\ud800" }, '"name" has half a character'],
  ["tools/call", { name: "a", arguments: ["b"] }, '"arguments" must be an object'],
  ["tools/call", { name: "a", arguments: "b" }, '"arguments" must be an object'],
  ["prompts/get", { name: { toString: "hidden" } }, '"name" must be a string'],
  ["resources/read", { uri: ["x://priv/b"] }, '"uri" must be a string'],
  ["resources/read", { uri: " x://priv/b" }, '"uri" begins or ends with a blank'],
  ["resources/subscribe", { uri: "x://priv/b\u3000" }, '"uri" begins or ends with a blank'],
  ["resources/read", { uri: "x://pri\nv/b" }, '"uri" has a control character'],
  ["completion/complete", {}, '"ref" must be an object'],
  ["completion/complete", { ref: [{ type: "ref/prompt", name: "a" }] }, '"ref" must be an object'],
  ["completion/complete", { ref: { type: "ref/tool", name: "a" } }, '"ref.type" must be ref/prompt or ref/resource'],
  ["completion/complete", { ref: { name: "a" } }, '"ref.type" must be ref/prompt or ref/resource'],
  [
    ...(["completion/complete", { ref: { type: "ref/prompt", name: "hidden", uri: "x://pub/a" } }] as const),
    '"ref.uri" does not belong to a ref/prompt; remove it',
  ],
  [
    ...(["completion/complete", { ref: { type: "ref/resource", name: "hello", uri: ["x://priv/b"] } }] as const),
    '"ref.name" does not belong to a ref/resource; remove it',
  ],
  ["completion/complete", { ref: { type: "ref/resource", uri: ["x://priv/b"] } }, '"ref.uri" must be a string'],
  ["tasks/get", { taskId: "t1" }, '"taskId" is not the id of a task of yours'],
])("what could be read in two ways is refused before any rule: %s %j", (method, params, problem) => {
  expect(read(method, params)).toBe(`INVALID_PARAMS ${problem}`);
});
