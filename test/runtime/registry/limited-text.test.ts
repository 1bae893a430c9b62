import { expect, test } from "@jest/globals";
import { limitedText } from "../../../runtime/registry/limited-text.ts";

async function* endless(): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      sent += 10;
      yield Buffer.from("é".repeat(5));
    }
  } finally {
    left = true;
  }
}
let sent = 0;
let left = false;

test("an answer is read up to its bound, and left there", async () => {
  await expect(limitedText(endless(), 35)).rejects.toThrow("the answer has more than 35 bytes");
  expect([sent, left]).toEqual([40, true]);
  const pieces = [Buffer.from("é".repeat(3)).subarray(0, 5), Buffer.from([0xa9])];
  expect(await limitedText(ReadableStream.from(pieces), 6)).toBe("ééé");
});
