import { isUtf8 } from "node:buffer";

const plain = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/;
const encoded = /^=\?base64\?(.*)\?=$/i;

/**
 * A value of `Mcp-Name` or `Mcp-Param-*`: visible ASCII as it is, anything else as `=?base64?…?=` of its UTF-8
 * (2026-07-28, basic/transports/streamable-http, "Value encoding").
 */
export function encodeHeaderValue(value: string | number | boolean): string {
  const text = String(value);
  if (text === "" || (plain.test(text) && !encoded.test(text))) return text;
  return `=?base64?${Buffer.from(text, "utf8").toString("base64")}?=`;
}

/** The text behind a header's value; undefined when it is not rightly encoded. */
export function decodeHeaderValue(header: string): string | undefined {
  const value = header.trim();
  const base64 = encoded.exec(value)?.[1];
  if (base64 === undefined) return value;
  const bytes = Buffer.from(base64, "base64");
  // One spelling for each text: the decoder skips what is no base64, and replaces what is no UTF-8.
  return bytes.toString("base64") === base64 && isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}

/** The parameter that `Mcp-Name` repeats, by method. */
const namedBy: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
  "tasks/get": "taskId",
  "tasks/update": "taskId",
  "tasks/cancel": "taskId",
};

/** What `Mcp-Name` must say for these parameters; undefined when the method has none. */
export function nameForHeader(method: string, params: Record<string, unknown> | undefined): string | undefined {
  const key = namedBy[method];
  const name = key === undefined ? undefined : params?.[key];
  return typeof name === "string" ? name : undefined;
}
