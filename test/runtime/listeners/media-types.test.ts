import type { IncomingMessage } from "node:http";
import { expect, test } from "@jest/globals";
import { checkJson, takenBy } from "../../../runtime/listeners/media-types.ts";

const taken = (accept: string | undefined) => {
  const { json, events } = takenBy({ headers: { ...(accept === undefined ? {} : { accept }) } } as IncomingMessage);
  return [json, events];
};

test.each([
  [undefined, [true, true]],
  ["*/*", [true, true]],
  ["application/json, text/event-stream", [true, true]],
  ["Text/Event-Stream;q=0.9,Application/JSON", [true, true]],
  ["application/*, text/*", [true, true]],
  ["application/json", [true, false]],
  ["Application/*", [true, false]],
  ["application/json, text/event-stream;q=0", [true, false]],
  ["*/*, application/json; q=0.000", [false, true]],
  ["text/event-stream", [false, true]],
  ["text/event-stream; charset=utf-8", [false, true]],
  ["text/html, application/json-seq", [false, false]],
  ["*/*;q=0", [false, false]],
])("Accept: %s takes JSON and events: %j", (accept, expected) => {
  expect(taken(accept)).toEqual(expected);
});

const body = (headers: Record<string, string>) => () => checkJson({ headers } as unknown as IncomingMessage);

test.each([
  "application/json",
  "Application/Json",
  "application/json; charset=utf-8",
  "APPLICATION/JSON;charset=UTF-8",
])("a body of type %s is one message", (type) => {
  expect(body({ "content-type": type })).not.toThrow();
});

test.each(["gzip", "br", "GZIP, identity"])("a body that is coded as %s is refused by its coding", (coding) => {
  expect(body({ "content-type": "application/json", "content-encoding": coding })).toThrow(
    "Unsupported media type: MCP messages are sent without Content-Encoding",
  );
});
