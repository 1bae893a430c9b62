import { expect, test } from "@jest/globals";
import { checkExposure } from "../../../runtime/cli/listen-options.ts";
import { resolveConfig } from "../../../runtime/config/index.ts";

const gateway = (more: object) => ({ ...resolveConfig({ servers: {} }).gateway, ...more });
const auth = { bearerTokens: [{ name: "a", token: "b" }] };

test("what strangers reach needs authentication, or a word that it does not", () => {
  expect(() => checkExposure(gateway({ host: "0.0.0.0" }), {})).toThrow(
    "--host: 0.0.0.0 is reached by other machines, without authentication; ask for a token, or say --allow-anonymous " +
      "(MCP_FLEET_ALLOW_ANONYMOUS=true) where only trusted peers come in",
  );
  for (const [more, options] of [
    [{ host: "0.0.0.0" }, { allowAnonymous: true }],
    [{ host: "0.0.0.0", auth }, {}],
    [{ host: "::1" }, {}],
  ] as const) {
    expect(() => checkExposure(gateway(more), options)).not.toThrow();
  }
});
