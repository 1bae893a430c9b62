import type { IncomingHttpHeaders } from "node:http";

/** The head of a request that is read here; every other one is Node's parser's affair. */
export interface RequestHead {
  /** Path and query. */
  readonly url: string;
  /** By lower-case name. None comes twice. */
  readonly headers: IncomingHttpHeaders;
  /** Length of the body in bytes. */
  readonly length: number;
}

/** How every request begins that is read here. */
export const beginning = "POST /mcp";

const requestLine = /^POST (\/mcp(?:[/?][\x21-\x7e]*)?) HTTP\/1\.1\r\n/;
/** Field lines (RFC 9112, section 5): a token, a colon, and no control character but the tab. */
const fields = /^(?:[!#$%&'*+\-.^`|~\w]+:[\t\x20-\x7e\x80-\xff]*\r\n)+$/;
const counted = /^(?:0|[1-9]\d{0,8})$/;
/** What changes how the rest of the connection is to be read, or has to be answered before the request has been read. */
const special = ["transfer-encoding", "expect", "upgrade", "trailer", "te", "proxy-connection", "http2-settings"];

/**
 * Reads the head of a POST to an MCP path that can be read in one way only; `text` ends with the line break of its last
 * field. Undefined for everything else: other methods and versions, a field that comes twice, bodies without a length,
 * what is malformed, and requests of pages (Origin), whose answers have headers of their own.
 */
export function requestHead(text: string, maxFields: number): RequestHead | undefined {
  const line = requestLine.exec(text);
  if (line === null) return undefined;
  const [first, url] = line as unknown as [string, string];
  if (!fields.test(text.slice(first.length))) return undefined;
  const headers: IncomingHttpHeaders = {};
  let count = 0;
  for (let at = first.length; at < text.length; count += 1) {
    const colon = text.indexOf(":", at);
    const end = text.indexOf("\r\n", colon);
    const name = text.slice(at, colon).toLowerCase();
    if (headers[name] !== undefined) return undefined;
    headers[name] = trimmed(text, colon + 1, end);
    at = end + 2;
  }
  if (count > maxFields || headers.host === undefined || headers.origin !== undefined) return undefined;
  for (const name of special) if (headers[name] !== undefined) return undefined;
  const { connection } = headers;
  if (connection !== undefined && connection.toLowerCase() !== "keep-alive") return undefined;
  const length = headers["content-length"];
  return length !== undefined && counted.test(length) ? { url, headers, length: Number(length) } : undefined;
}

/** Without the blanks around it (RFC 9110, section 5.5); String.trim would take a no-break space too. */
function trimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

const isBlank = (code: number): boolean => code === 32 || code === 9;
