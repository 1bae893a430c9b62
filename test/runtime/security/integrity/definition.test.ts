import { expect, test } from "@jest/globals";
import { parseJson } from "../../../../runtime/protocol/exact-json.ts";
import type { ToolDescription } from "../../../../runtime/registry/catalog.ts";
import { definitionDigest } from "../../../../runtime/security/integrity/definition.ts";

test("a pin made when 1.0 was read as 1 holds", () => {
  const text =
    '{"name":"pay","inputSchema":{"properties":{"f":{"default":1.0,"maximum":9223372036854775807,"x":1e400}}}}';
  expect(definitionDigest(parseJson(text) as ToolDescription)).toBe(definitionDigest(JSON.parse(text)));
});
