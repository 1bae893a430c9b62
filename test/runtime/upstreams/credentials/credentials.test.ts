import { expect, test } from "@jest/globals";
import { headerLine, headersOfLines } from "../../../../runtime/upstreams/credentials/credentials.ts";

test("a header's line, and back", () => {
  const lines = headerLine("Authorization", "Bearer a: b") + headerLine("X-Api-Key", "k");
  expect(lines).toBe("authorization: Bearer a: b\r\nx-api-key: k\r\n");
  expect(headersOfLines(lines)).toEqual({ authorization: "Bearer a: b", "x-api-key": "k" });
  expect(headersOfLines()).toEqual({});
});

test.each(["a\r\nx-forged: 1", "a\nb", "a\u0000b", "schlüssel"])(
  "a value that would end its line is refused unseen",
  (value) => {
    expect(() => headerLine("x-api-key", value)).toThrow(
      new RangeError("the value for the header x-api-key has a character that no header may have"),
    );
  },
);
