import { PassThrough } from "node:stream";
import { expect, test } from "@jest/globals";
import { keepWord, Starter } from "../../../../runtime/orchestrator/process-platform/starter.ts";

/** Does a daemon end, when its starter has said this and then goes? */
async function endsAfter(...words: string[]): Promise<boolean> {
  const input = new PassThrough();
  const closed = new Promise((resolve) => input.once("close", resolve));
  let gone = false;
  new Starter(input, () => {
    gone = true;
  });
  for (const word of words) input.write(word);
  input.end();
  await closed;
  return gone;
}

test("a daemon outlives its starter when it was told to, and else ends with it", async () => {
  expect([await endsAfter(), await endsAfter(keepWord)]).toEqual([true, false]);
});
