import { expect, test } from "@jest/globals";
import { writtenSecrets } from "../../../runtime/config/written-secrets.ts";

test("what a deployment has written in plain text where secrets stand is a secret: options, variables, keys of addresses", () => {
  const type = "custom" as const;
  expect(
    writtenSecrets({
      a: {
        type,
        process: {
          command: "node",
          args: ["--api-key", "canary-one-1", "--token=canary-two-2", "--file", "harmless-3", "--auth", "--next"],
          env: { SOME_TOKEN: "canary-four-4", MODE: "production" },
        },
      },
      b: { type, endpoints: ["http://127.0.0.1:9/mcp?key=canary-five-5", "http://127.0.0.1:9/mcp"] },
      c: { type, discovery: { static: [{ url: "http://127.0.0.1:9/canary-six-6/mcp" }] } },
    }),
  ).toEqual([
    ...["canary-four-4", "canary-one-1", "canary-two-2"],
    ...["http://127.0.0.1:9/mcp?key=canary-five-5", "?key=canary-five-5", "canary-five-5"],
    ...["http://127.0.0.1:9/canary-six-6/mcp", "canary-six-6"],
  ]);
});
