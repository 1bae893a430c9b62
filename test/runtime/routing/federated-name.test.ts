import { expect, test } from "@jest/globals";
import { federatedName, maxNameLength, splitFederatedName } from "../../../runtime/routing/federated-name.ts";

test("a short name is the server, two underscores and the tool, and splits back", () => {
  expect(federatedName("context7", "resolve-library-id")).toBe("context7__resolve-library-id");
  expect(splitFederatedName("context7__resolve__x")).toEqual({ server: "context7", name: "resolve__x", cut: false });
});

test("a long name is cut to 64 characters, and two that begin alike stay apart", () => {
  const [one, two] = ["a", "b"].map((end) => federatedName("server", `${"x".repeat(70)}${end}`)) as [string, string];
  expect([one.length, two.length]).toEqual([maxNameLength, maxNameLength]);
  expect(one).toMatch(/^server__x{47}_[0-9a-f]{8}$/);
  expect(one).not.toBe(two);
  expect(splitFederatedName(one)?.cut).toBe(true);
});

test("a name of exactly 64 characters is left as it is", () => {
  const name = "y".repeat(64 - "server__".length);
  expect(federatedName("server", name)).toBe(`server__${name}`);
});

test.each(["plain", "__tool", ""])("%j names no server", (text) => expect(splitFederatedName(text)).toBeUndefined());
