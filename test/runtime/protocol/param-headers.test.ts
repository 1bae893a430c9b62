import { expect, test } from "@jest/globals";
import { parseJson } from "../../../runtime/protocol/exact-json.ts";
import { mirroredParams, paramHeaders } from "../../../runtime/protocol/param-headers.ts";

const region = { type: "string", "x-mcp-header": "Region" };
const nested = { type: "object", properties: { limit: { type: "integer", "x-mcp-header": "Limit" } } };

test("annotated properties are found at every depth and repeated when they have a value", () => {
  const params = mirroredParams({ type: "object", properties: { region, options: nested, plain: { type: "string" } } });
  expect(params).toEqual([
    { header: "mcp-param-region", path: ["region"] },
    { header: "mcp-param-limit", path: ["options", "limit"] },
  ]);
  expect(paramHeaders(params ?? [], { region: "köln", options: { limit: 5 } })).toEqual({
    "mcp-param-region": "=?base64?a8O2bG4=?=",
    "mcp-param-limit": "5",
  });
  expect(paramHeaders(params ?? [], { region: null })).toEqual({});
  expect(paramHeaders(params ?? [], undefined)).toEqual({});
});

test("a schema without annotations asks for nothing", () => {
  expect(mirroredParams(undefined)).toEqual([]);
  expect(mirroredParams({ type: "object", properties: { plain: { type: "string" } } })).toEqual([]);
});

test.each([
  ["a number", { properties: { x: { type: "number", "x-mcp-header": "X" } } }],
  ["an object", { properties: { x: { type: "object", "x-mcp-header": "X" } } }],
  ["an empty name", { properties: { x: { type: "string", "x-mcp-header": "" } } }],
  ["a name with a space", { properties: { x: { type: "string", "x-mcp-header": "My Region" } } }],
  ["two names alike", { properties: { a: region, b: { type: "string", "x-mcp-header": "REGION" } } }],
  ["an item of a list", { properties: { x: { type: "array", items: region } } }],
  ["one of several forms", { properties: { x: { anyOf: [region] } } }],
])("%s makes the tool invalid", (_what, schema) => {
  expect(mirroredParams(schema)).toBeUndefined();
});

test.each([
  ["2047948614742839297", "2047948614742839297"],
  ["5.0", "5"],
  ["-0", "0"],
])("a header repeats the whole number %s as %s", (text, header) => {
  const params = mirroredParams({ type: "object", properties: { options: nested } }) ?? [];
  const args = parseJson(`{"options":{"limit":${text}}}`);
  expect(paramHeaders(params, args)).toEqual({ "mcp-param-limit": header });
});
