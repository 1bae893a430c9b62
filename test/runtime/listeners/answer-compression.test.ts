import type { ServerResponse } from "node:http";
import { expect, test } from "@jest/globals";
import { AnswerCompression } from "../../../runtime/listeners/answer-compression.ts";

const mib = 2 ** 20;

/** A response to a client that takes gzip, and what was written to it. */
function responseTo(headers: Record<string, string> = { "accept-encoding": "gzip" }) {
  const written: unknown[] = [];
  const response = {
    req: { headers },
    destroyed: false,
    writeHead(status: number, fields: object) {
      written.push(status, fields);
      return response;
    },
    end: (body: Buffer) => written.push(body),
  };
  return {
    response: response as unknown as ServerResponse,
    written,
    gone: () => Object.assign(response, { destroyed: true }),
  };
}

test("only so many bytes are compressed at the same time", async () => {
  const compression = new AnswerCompression(1024);
  const { response } = responseTo();
  expect(compression.codingOf(response, 1023)).toBeUndefined();
  expect(compression.codingOf(response, 32 * mib)).toBe("gzip");
  const sending = compression.send(response, 200, {}, Buffer.alloc(mib), "gzip");
  expect(compression.codingOf(response, 32 * mib)).toBeUndefined();
  expect(compression.codingOf(response, 31 * mib)).toBe("gzip");
  await sending;
  expect(compression.codingOf(response, 32 * mib)).toBe("gzip");
});

test("0 compresses nothing", () => {
  expect(new AnswerCompression(0).codingOf(responseTo().response, 32 * mib)).toBeUndefined();
});

test("nothing is written to a client that has gone meanwhile", async () => {
  const { response, written, gone } = responseTo();
  const sending = new AnswerCompression(1024).send(response, 200, {}, Buffer.alloc(mib), "gzip");
  gone();
  await sending;
  expect(written).toEqual([]);
});
