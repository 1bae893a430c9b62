import { expect, test } from "@jest/globals";
import { shownServer } from "../../../runtime/registry/instance.ts";

test("a server that calls itself by a megabyte has room for a hundred characters in log and status", () => {
  const long = { name: "n".repeat(1_000_000), version: "9".repeat(1_000_000) };
  expect(shownServer(long)).toEqual({ name: "n".repeat(100), version: "9".repeat(100) });
});

test.each([[{}], [{ name: 7, version: null }], ["text"]])("what is no name of a server is unknown: %j", (said) => {
  expect(shownServer(said as never)).toEqual({ name: "unknown", version: "unknown" });
});
