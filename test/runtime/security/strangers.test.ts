import { expect, test } from "@jest/globals";
import { strangersAt } from "../../../runtime/security/index.ts";
import { isNamed } from "../../../runtime/security/principal.ts";

const callers = ["local", "anonymous", "host", "alice"];

test.each<[string, string, boolean, string[]]>([
  ["a gateway on loopback", "127.0.0.1", false, ["anonymous"]],
  ["a gateway that other machines reach", "0.0.0.0", false, ["local", "anonymous"]],
  ["a server host", "127.0.0.1", true, callers],
])("strangers of %s", (_what, host, ofGateways, strangers) => {
  expect(callers.filter(strangersAt(host, ofGateways))).toEqual(strangers);
});

test("who came without a credential has no name", () => {
  expect(callers.filter(isNamed)).toEqual(["host", "alice"]);
});
