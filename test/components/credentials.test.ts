import { expect, test } from "@jest/globals";
import { checkedServer } from "../../components/fleet/resolve.ts";
import { InputError } from "../../components/input-error.ts";

const server = { type: "custom", endpoints: ["https://docs.example/mcp"] };

test("credentials are references, so that no state holds a secret", () => {
  const credentials = { header: { scheme: "Bearer", value: "${DOCS_TOKEN}" } };
  expect(checkedServer('MCPServerFleet "docs"', { ...server, credentials })).toEqual({ ...server, credentials });
  const plain = { header: { scheme: "Bearer", value: "s3cret" } };
  expect(() => checkedServer('MCPServerFleet "docs"', { ...server, credentials: plain })).toThrow(
    new InputError('MCPServerFleet "docs"', [
      "credentials.header.value: holds a secret itself; refer to an environment variable as ${NAME}, or to a file as file:PATH",
    ]),
  );
});
