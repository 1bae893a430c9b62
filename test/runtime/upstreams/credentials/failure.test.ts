import { expect, test } from "@jest/globals";
import { FleetError } from "../../../../runtime/errors.ts";
import { credentialFailure } from "../../../../runtime/upstreams/credentials/failure.ts";

const url = new URL("https://server.example/mcp");
const text = (cause: unknown, secrets: string[] = []) => credentialFailure("docs", secrets, url, cause).message;
const said = (reason: string) => `docs: no access to https://server.example: ${reason}; check servers.docs.credentials`;

test("what an authorization server says, wherever it says it, or the deepest reason", () => {
  expect(text({ error: "invalid_client" })).toBe(said("invalid_client"));
  expect(text({ error: "invalid_grant", error_description: "expired" })).toBe(said("invalid_grant (expired)"));
  const challenge = { cause: [{ scheme: "basic", parameters: { error: "invalid_client", error_description: "no" } }] };
  expect(text(Object.assign(new Error("a challenge"), challenge))).toBe(said("invalid_client (no)"));
  expect(text(new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") }))).toBe(
    said("fetch failed: connect ECONNREFUSED"),
  );
  expect(text("the server answered HTTP 403")).toBe(said("the server answered HTTP 403"));
});

test("secrets that a foreign server repeats, control characters and long texts do not get through", () => {
  expect(text({ error: "x", error_description: "secret canary-1\u001b[31m\r\n" }, ["canary-1"])).toBe(
    said("x (secret [redacted] [31m )"),
  );
  expect(text("y".repeat(1000))).toBe(said("y".repeat(300)));
  expect(text(`${"y".repeat(295)}canary-1`, ["canary-1"])).toBe(said(`${"y".repeat(295)}[reda`));
});

test("an error that has its code keeps it", () => {
  const error = new FleetError("STATE_UNWRITABLE", "z");
  expect(credentialFailure("docs", [], url, error)).toBe(error);
});
