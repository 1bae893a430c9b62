import { expect, test } from "@jest/globals";
import { decodeHeaderValue, encodeHeaderValue, nameForHeader } from "../../../runtime/protocol/header-values.ts";

test.each([
  ["plain", "plain"],
  [42, "42"],
  [true, "true"],
  ["with a space", "with a space"],
  [" padded", "=?base64?IHBhZGRlZA==?="],
  ["grüße", "=?base64?Z3LDvMOfZQ==?="],
  ["two\nlines", "=?base64?dHdvCmxpbmVz?="],
  ["=?base64?eA==?=", "=?base64?PT9iYXNlNjQ/ZUE9PT89?="],
  ["", ""],
])("%p is sent as %p and comes back", (value, header) => {
  expect(encodeHeaderValue(value)).toBe(header);
  expect(decodeHeaderValue(header)).toBe(String(value));
});

test("space around a value does not count, and wrong Base64 is noticed", () => {
  expect(decodeHeaderValue("  x \t")).toBe("x");
  expect(decodeHeaderValue("=?base64?e?=")).toBeUndefined();
  expect(decodeHeaderValue("=?base64?e===?=")).toBeUndefined();
  expect(decodeHeaderValue("=?base64?e$==?=")).toBeUndefined();
  // Another spelling of "a", and bytes that are no UTF-8.
  expect(["YQ==", "YR==", "YQ", "_w==", "/w=="].map((text) => decodeHeaderValue(`=?base64?${text}?=`))).toEqual([
    "a",
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("Mcp-Name repeats what a method is about", () => {
  expect(nameForHeader("tools/call", { name: "echo" })).toBe("echo");
  expect(nameForHeader("resources/read", { uri: "file:///x" })).toBe("file:///x");
  expect(nameForHeader("tasks/get", { taskId: "7" })).toBe("7");
  expect(nameForHeader("tools/list", { name: "echo" })).toBeUndefined();
  expect(nameForHeader("tools/call", {})).toBeUndefined();
});
