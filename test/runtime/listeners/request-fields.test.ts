import type { IncomingMessage } from "node:http";
import { expect, test } from "@jest/globals";
import { checkFields } from "../../../runtime/listeners/request-fields.ts";

/** A request with these fields, as Node.js gives them: `headers` has each name once. */
function requestWith(rawHeaders: readonly string[], httpVersionMinor = 1): IncomingMessage {
  const headers: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    headers[(rawHeaders[at] as string).toLowerCase()] ??= rawHeaders[at + 1] as string;
  }
  return { rawHeaders, headers, httpVersionMinor } as unknown as IncomingMessage;
}

test.each<[string[]]>([
  [["Host", "a", "host", "b"]],
  [["Host", "a", "Authorization", "Bearer x", "authorization", "Bearer y"]],
  [["Host", "a", "Mcp-Session-Id", "x", "Mcp-Session-Id", "x"]],
])("a field that comes twice is refused: %j", (fields) => {
  const name = fields.at(-2);
  expect(() => checkFields(requestWith(fields))).toThrow(`Bad request: the field ${name} comes twice; send one`);
});

test.each<[string, number]>([
  ["gzip, chunked", 1],
  ["identity", 1],
  ["chunked", 0],
])("the transfer coding %j of HTTP/1.%d is refused", (coding, version) => {
  expect(() => checkFields(requestWith(["Host", "a", "Transfer-Encoding", coding], version))).toThrow(
    'Bad request: Transfer-Encoding must be "chunked" and nothing else',
  );
});

test.each<[string[]]>([
  [[]],
  [["Host", "a", "Transfer-Encoding", "Chunked"]],
  [["Host", "a", "Accept", "text/html", "Accept", "application/json"]],
])("%j is taken", (fields) => {
  expect(() => checkFields(requestWith(fields))).not.toThrow();
});
