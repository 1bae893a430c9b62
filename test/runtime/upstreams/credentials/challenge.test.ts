import { expect, test } from "@jest/globals";
import { union } from "../../../../runtime/security/scopes.ts";
import { bearerChallenge, scopesOf } from "../../../../runtime/upstreams/credentials/challenge.ts";

const nothing = { error: undefined, scopes: [], resourceMetadata: undefined };

test.each([
  [undefined, nothing],
  ["", nothing],
  ["Basic realm=x", nothing],
  ["Bearer", nothing],
  ['Bearer scope="a b"', { ...nothing, scopes: ["a", "b"] }],
  ["bearer error=invalid_token", { ...nothing, error: "invalid_token" }],
  ['Bearer error = "insufficient_scope" , scope = "  w "', { ...nothing, error: "insufficient_scope", scopes: ["w"] }],
  [
    'Basic realm="Bearer", Bearer resource_metadata="https://s/x?a=1,2", scope="s"',
    { ...nothing, scopes: ["s"], resourceMetadata: "https://s/x?a=1,2" },
  ],
  ['Bearer scope="first", DPoP scope="second", error="x"', { ...nothing, scopes: ["first"], error: "x" }],
  ['Bearer error="a \\"quoted\\" text"', { ...nothing, error: 'a "quoted" text' }],
  [`Bearer scope="${"x".repeat(9000)}"`, nothing],
])("%s", (header, challenge) => {
  expect(bearerChallenge(header)).toEqual(challenge);
});

test("lists of scopes", () => {
  expect(scopesOf(" a  b ")).toEqual(["a", "b"]);
  expect(union(["a", "b"], ["b", "c"], [])).toEqual(["a", "b", "c"]);
});
